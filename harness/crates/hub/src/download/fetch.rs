//! Fetching the files of a request into the cache.

use std::path::Path;

use ureq::Body;
use ureq::http::Response;

use super::error::FetchError;
use super::http::{Client, Failure, Verb, header};
use super::progress::Progress;
use super::retry::{Attempts, RetryPolicy};
use super::transfer::{Expected, Received, transfer};
use crate::hub::{Hub, Located, Request, find};
use crate::repo::is_commit;
use crate::repo_file::RepoFile;

/// The result of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub located: Located,
    /// Files that were downloaded, in order.
    pub downloads: Vec<Download>,
}

/// A downloaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    pub name: String,
    pub size: u64,
    pub sha256: String,
    pub verification: Verification,
}

/// How a downloaded file was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Against a SHA-256 from the request or the hub.
    Sha256,
    /// By size only: the hub has no SHA-256 for small files.
    Size,
    /// Nothing was known about it.
    None,
}

/// What the hub's headers say about a file.
struct Description {
    commit: Option<String>,
    /// Name of the blob in a cache.
    hash: Option<String>,
    size: Option<u64>,
}

impl Description {
    fn of(response: &Response<Body>) -> Self {
        let headers = response.headers();
        let etag = header(headers, "x-linked-etag").or_else(|| header(headers, "etag"));
        let hash = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        // The length of a redirect is not that of the file.
        let length = header(headers, "content-length").filter(|_| response.status().is_success());
        let size = header(headers, "x-linked-size").or(length);
        let is_name = |hash: &&str| {
            (32..=64).contains(&hash.len()) && hash.chars().all(|c| c.is_ascii_hexdigit())
        };
        Self {
            commit: header(headers, "x-repo-commit")
                .filter(|commit| is_commit(commit))
                .map(str::to_owned),
            hash: hash.filter(is_name).map(str::to_lowercase),
            size: size.and_then(|size| size.parse().ok()),
        }
    }
}

/// The state of one call of [`Hub::fetch`].
struct FetchSession<'a> {
    hub: &'a Hub,
    request: &'a Request,
    client: Client,
    policy: RetryPolicy,
    /// The commit from which all files are taken, once known.
    commit: Option<String>,
    downloads: Vec<Download>,
}

impl Hub {
    /// Downloads what is not on disk. All files come from one commit: the one of the files on disk,
    /// if there are any, or else the one that the revision points to now.
    ///
    /// # Errors
    /// A file cannot be downloaded; files downloaded before are kept.
    pub fn fetch(
        &self,
        request: &Request,
        policy: RetryPolicy,
        progress: &mut dyn Progress,
    ) -> Result<Fetched, FetchError> {
        let located = self.locate(request)?;
        if self.settings.offline && !located.is_complete() {
            return Err(FetchError::Offline {
                repo: request.repo.to_string(),
                missing: located.missing,
            });
        }
        let known = self.cache.commit(&request.repo);
        let by_hand = Some(request.repo.revision().to_owned());
        let mut session = FetchSession {
            hub: self,
            request,
            client: Client::new(&self.settings),
            policy,
            commit: match located.found.is_empty() {
                true => None,
                false => known.or(by_hand),
            },
            downloads: Vec::new(),
        };
        for file in &request.files {
            if let Some((name, path)) = find(&located.folder, file) {
                if check(file, name, &path, progress)? {
                    continue;
                }
                fs_err::remove_file(fs_err::canonicalize(&path)?)?;
            }
            if self.settings.offline {
                continue;
            }
            let is_needed = !(file.optional && located.is_complete());
            session.policy = match is_needed {
                true => policy,
                // What is there is enough, so that nobody has to wait for a hub out of reach.
                false => policy.once(),
            };
            match session.fetch(file, progress) {
                Err(error) if !is_needed && error.is_of_the_environment() => {
                    let name = file.label();
                    progress.note(&format!("{name} is optional and was not fetched: {error}"));
                }
                result => result?,
            }
        }
        Ok(Fetched {
            located: self.locate(request)?,
            downloads: session.downloads,
        })
    }
}

/// Whether a file on disk has the expected hash. If not, a blob of the cache can be downloaded
/// again, and any other file is an error.
fn check(
    file: &RepoFile,
    name: &str,
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<bool, FetchError> {
    let blob = fs_err::canonicalize(path)?;
    let blob_name = blob.file_name().unwrap_or_default().to_string_lossy();
    let is_first = file.names.first().is_some_and(|first| first == name);
    let of_request = file.sha256.clone().filter(|_| is_first);
    let is_blob = blob != path && is_sha256(&blob_name);
    let of_cache = Some(blob_name.into_owned()).filter(|_| is_blob);
    let Some(expected) = of_request.or(of_cache) else {
        return Ok(true);
    };
    let found = harness_store::sha256_file(&blob)?;
    if found == expected {
        return Ok(true);
    }
    if !is_blob {
        return Err(FetchError::WrongHash {
            from: path.display().to_string(),
            expected,
            found,
        });
    }
    progress.note(&format!(
        "{} is damaged; downloading it again",
        path.display()
    ));
    Ok(false)
}

impl FetchSession<'_> {
    fn fetch(&mut self, file: &RepoFile, progress: &mut dyn Progress) -> Result<(), FetchError> {
        let mut absent = None;
        for (index, name) in file.names.iter().enumerate() {
            let known = Expected {
                size: file.size.filter(|_| index == 0),
                sha256: file.sha256.clone().filter(|_| index == 0),
            };
            let result = match self.hub.mirror(self.request) {
                Some(_) => self.fetch_mirrored(name, known, progress),
                None => self.fetch_published(name, known, progress),
            };
            match result {
                Err(error) if error.is_absent_file() => absent = absent.or(Some(error)),
                other => return other,
            }
        }
        match absent {
            Some(error) if !file.optional => Err(error),
            _ => Ok(()),
        }
    }

    /// A plain folder has no information about a file beforehand.
    fn fetch_mirrored(
        &mut self,
        name: &str,
        known: Expected,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        let url = self.hub.url(self.request, name);
        // A mirror that redirects to a hub, or copies its headers, says what the file is.
        if let Ok(response) = self.client.send(Verb::Head, &url, &[]) {
            let described = Description::of(&response);
            if described.commit.is_some() {
                return self.fetch_described(name, url, described, known, progress);
            }
        }
        let label = match &known.sha256 {
            Some(sha256) => sha256.clone(),
            None => format!("url-{}", sha256_of_text(&url)?),
        };
        let repo = &self.request.repo;
        let current = || {
            let known = self.hub.cache.commit(repo);
            known.unwrap_or_else(|| repo.revision().to_owned())
        };
        let commit = self.commit.get_or_insert_with(current).clone();
        self.download(name, &url, &label, &commit, known, progress)
    }

    fn fetch_published(
        &mut self,
        name: &str,
        known: Expected,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        let repo = match self.commit.as_deref().filter(|commit| is_commit(commit)) {
            Some(commit) => self.request.repo.at(commit)?,
            None => self.request.repo.clone(),
        };
        let url = repo.url(&self.hub.settings.endpoint, name);
        let described = self.describe(&url, progress)?;
        self.fetch_described(name, url, described, known, progress)
    }

    /// Downloads a file of which headers tell commit, hash or size.
    fn fetch_described(
        &mut self,
        name: &str,
        url: String,
        described: Description,
        known: Expected,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        if let (Some(expected), Some(found)) = (known.size, described.size)
            && expected != found
        {
            return Err(FetchError::WrongSize {
                url,
                expected,
                found,
            });
        }
        let announced = described.hash.clone().filter(|hash| is_sha256(hash));
        if let (Some(expected), Some(found)) = (&known.sha256, &announced)
            && expected != found
        {
            return Err(FetchError::WrongHash {
                from: url,
                expected: expected.clone(),
                found: found.clone(),
            });
        }
        let expected = Expected {
            size: known.size.or(described.size),
            sha256: known.sha256.or(announced),
        };
        let revision = self.request.repo.revision().to_owned();
        let commit = self
            .commit
            .get_or_insert(described.commit.unwrap_or(revision));
        let commit = commit.clone();
        let label = match described.hash {
            Some(hash) => hash,
            None => format!("url-{}", sha256_of_text(&url)?),
        };
        self.download(name, &url, &label, &commit, expected, progress)
    }

    /// The hub's headers for a file.
    fn describe(&self, url: &str, progress: &mut dyn Progress) -> Result<Description, FetchError> {
        let mut attempts = Attempts::new(self.policy);
        let response = loop {
            match self.client.send(Verb::Head, url, &[]) {
                Ok(response) => break response,
                Err(Failure::Permanent(error)) => return Err(error),
                Err(Failure::Transient(failure)) => attempts.wait(url, &failure, progress)?,
            }
        };
        Ok(Description::of(&response))
    }

    /// Downloads a file into the cache while holding the lock of its blob.
    fn download(
        &mut self,
        name: &str,
        url: &str,
        label: &str,
        commit: &str,
        expected: Expected,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        let repo = &self.request.repo;
        let cache = &self.hub.cache;
        let _lock = lock(&cache.lock(repo, label), name, progress)?;
        // Another process may have downloaded it meanwhile.
        if cache.blob(repo, label).is_file() {
            return Ok(cache.link(repo, commit, name, label)?);
        }
        let incomplete = cache.incomplete(repo, label);
        if let Some(folder) = incomplete.parent() {
            fs_err::create_dir_all(folder)?;
            check_space(folder, &incomplete, expected.size)?;
        }
        let have = fs_err::metadata(&incomplete).map_or(0, |metadata| metadata.len());
        progress.begin(name, expected.size, have);
        let received = transfer(
            &self.client,
            url,
            &incomplete,
            &expected,
            self.policy,
            progress,
        )?;
        // A blob has the name that the hub gives it, or else its own hash.
        let hash = match label.starts_with("url-") {
            true => received.sha256.as_str(),
            false => label,
        };
        fs_err::rename(&incomplete, cache.blob(repo, hash))?;
        cache.link(repo, commit, name, hash)?;
        progress.end();
        self.downloads.push(download(name, received, &expected));
        Ok(())
    }
}

fn download(name: &str, received: Received, expected: &Expected) -> Download {
    Download {
        name: name.to_owned(),
        size: received.size,
        sha256: received.sha256,
        verification: match expected {
            Expected {
                sha256: Some(_), ..
            } => Verification::Sha256,
            Expected { size: Some(_), .. } => Verification::Size,
            _ => Verification::None,
        },
    }
}

/// Waits until no other process downloads the same blob. The lock is held while the file is open.
fn lock(path: &Path, name: &str, progress: &mut dyn Progress) -> Result<fs_err::File, FetchError> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let file = fs_err::File::create(path)?;
    if file.file().try_lock().is_err() {
        progress.note(&format!(
            "{name}: waiting for another process that is downloading it"
        ));
        file.file().lock()?;
    }
    Ok(file)
}

/// Rejects a download that does not fit on the disk.
fn check_space(folder: &Path, incomplete: &Path, size: Option<u64>) -> Result<(), FetchError> {
    let have = fs_err::metadata(incomplete).map_or(0, |metadata| metadata.len());
    let needed = size.unwrap_or(0).saturating_sub(have);
    // If the free space is unknown, try.
    let Ok(stat) = rustix::fs::statvfs(folder) else {
        return Ok(());
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if needed > free {
        return Err(FetchError::NoSpace {
            path: folder.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}

fn sha256_of_text(text: &str) -> Result<String, FetchError> {
    Ok(harness_store::sha256_hex(text.as_bytes()))
}
