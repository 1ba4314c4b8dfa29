//! Finding files of a repository on disk.

use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::repo::{Repo, RepoError};
use crate::repo_file::RepoFile;
use crate::settings::Settings;

/// Files of one repository that are needed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub repo: Repo,
    pub files: Vec<RepoFile>,
    /// URL of a folder with these files, used instead of the hub.
    pub mirror: Option<String>,
}

impl Request {
    /// Files of a repository on the hub.
    pub fn new(repo: Repo, files: Vec<RepoFile>) -> Self {
        Self {
            repo,
            files,
            mirror: None,
        }
    }
}

/// Where the files of a request are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The folder that contains them, all of one commit.
    pub folder: PathBuf,
    /// Paths of the files that were found, in the order of the request.
    pub found: Vec<PathBuf>,
    /// Required files that were not found.
    pub missing: Vec<Missing>,
    /// Commits whose files are there, if the revision is of none of them.
    pub other_commits: Vec<String>,
}

impl Located {
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A required file that is not on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name, or its possible names.
    pub name: String,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// Approximate size in bytes.
    pub about: Option<u64>,
    /// Where it was looked for.
    pub path: PathBuf,
    /// Where it can be downloaded.
    pub url: String,
}

/// A hub and its cache on this machine.
#[derive(Clone, Debug)]
pub struct Hub {
    pub(crate) settings: Settings,
    pub(crate) cache: Cache,
}

impl Hub {
    pub fn new(settings: Settings) -> Self {
        Self {
            cache: Cache::new(settings.cache.clone()),
            settings,
        }
    }

    /// Uses the settings of the environment.
    pub fn from_environment() -> Self {
        Self::new(Settings::from_environment())
    }

    /// Whether to stay offline.
    pub fn is_offline(&self) -> bool {
        self.settings.offline
    }

    /// Looks for the files of a request on disk, without network access.
    ///
    /// # Errors
    /// A file name leads outside the repository.
    pub fn locate(&self, request: &Request) -> Result<Located, RepoError> {
        request.files.iter().try_for_each(RepoFile::check)?;
        let assumed = self.assumed(&request.repo);
        let repo = match &assumed {
            Some(commit) => &request.repo.at(commit)?,
            None => &request.repo,
        };
        let folder = self.cache.snapshot(repo);
        let mut located = Located {
            found: Vec::new(),
            missing: Vec::new(),
            other_commits: match folder.is_dir() {
                true => Vec::new(),
                false => self.cache.snapshots(repo),
            },
            folder,
        };
        for file in &request.files {
            let first = file.names.first().map_or("", String::as_str);
            match find(&located.folder, file) {
                Some((_, path)) => located.found.push(path),
                None if file.optional => {}
                None => located.missing.push(Missing {
                    name: file.label(),
                    size: file.size,
                    about: file.about,
                    path: located.folder.join(first),
                    url: self.url(request, first),
                }),
            }
        }
        Ok(located)
    }

    /// The commit that is used offline for a revision of which the cache says nothing: the only one
    /// that is there.
    pub fn assumed(&self, repo: &Repo) -> Option<String> {
        match self.settings.offline {
            true => self.cache.sole_commit(repo),
            false => None,
        }
    }

    /// The URL of a file of a request.
    pub(crate) fn url(&self, request: &Request, file: &str) -> String {
        match self.mirror(request) {
            Some(base) => format!("{base}/{}", crate::repo::encode(file, true)),
            None => request.repo.url(&self.settings.endpoint, file),
        }
    }

    /// The URL of the folder that is used instead of the hub, if there is one.
    pub(crate) fn mirror(&self, request: &Request) -> Option<String> {
        let own = request.mirror.as_deref();
        let own = own.map(|base| base.trim_end_matches('/').to_owned());
        own.or_else(|| {
            let base = self.settings.mirror.as_deref()?;
            Some(format!("{base}/{}", request.repo.id()))
        })
    }
}

/// The first name of a file that exists in a folder, with its path.
pub(crate) fn find<'w>(folder: &Path, file: &'w RepoFile) -> Option<(&'w str, PathBuf)> {
    let names = file.names.iter();
    let mut found = names.map(|name| (name.as_str(), folder.join(name)));
    // Follows links: a link without its blob does not count.
    found.find(|(_, path)| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Token;

    fn hub(cache: &Path) -> Hub {
        Hub::new(Settings {
            cache: cache.to_owned(),
            endpoint: "https://hub.example".to_owned(),
            mirror: None,
            token: Token::new("hf_x"),
            offline: false,
        })
    }

    fn request() -> Request {
        let mut weights = RepoFile::any_of(["open_clip_model.safetensors", "model.safetensors"]);
        weights.size = Some(5);
        Request::new(
            Repo::model("org/name", "main").unwrap(),
            vec![
                weights,
                RepoFile::file("config.json"),
                RepoFile::file("tokenizer.json").optional(),
            ],
        )
    }

    #[test]
    fn files_of_other_tools_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub(folder.path());
        let located = hub.locate(&request()).unwrap();
        let names: Vec<_> = located.missing.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "open_clip_model.safetensors or model.safetensors",
                "config.json"
            ]
        );
        assert_eq!(located.missing[0].size, Some(5));
        assert_eq!(
            located.missing[1].url,
            "https://hub.example/org/name/resolve/main/config.json"
        );

        // As huggingface_hub writes it: a ref, blobs, links.
        let root = folder.path().join("models--org--name");
        let commit = "c".repeat(40);
        let snapshot = root.join("snapshots").join(&commit);
        for path in [&root.join("refs"), &root.join("blobs"), &snapshot] {
            std::fs::create_dir_all(path).unwrap();
        }
        std::fs::write(root.join("refs/main"), &commit).unwrap();
        for (name, blob) in [("model.safetensors", "aa"), ("config.json", "bb")] {
            std::fs::write(root.join("blobs").join(blob), name).unwrap();
            let target = Path::new("../../blobs").join(blob);
            std::os::unix::fs::symlink(target, snapshot.join(name)).unwrap();
        }
        let located = hub.locate(&request()).unwrap();
        assert!(located.is_complete());
        assert_eq!(located.folder, snapshot);
        assert_eq!(located.found[0], snapshot.join("model.safetensors"));

        std::fs::remove_file(root.join("blobs/aa")).unwrap();
        let located = hub.locate(&request()).unwrap();
        assert_eq!(located.missing.len(), 1, "a link without its blob");
    }

    #[test]
    fn the_only_snapshot_is_used_offline_where_refs_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = folder.path().join("models--org--name/snapshots");
        let add = |commit: &str| {
            let snapshot = snapshots.join(commit);
            std::fs::create_dir_all(&snapshot).unwrap();
            for name in ["model.safetensors", "config.json"] {
                std::fs::write(snapshot.join(name), name).unwrap();
            }
        };
        let (first, second) = ("c".repeat(40), "d".repeat(40));
        add(&first);
        let mut hub = hub(folder.path());
        let online = hub.locate(&request()).unwrap();
        assert!(!online.is_complete());
        assert_eq!(online.other_commits, std::slice::from_ref(&first));
        hub.settings.offline = true;
        assert!(hub.locate(&request()).unwrap().is_complete());
        assert_eq!(hub.assumed(&request().repo), Some(first.clone()));
        let at = |revision: &str| {
            let repo = Repo::model("org/name", revision).unwrap();
            let request = Request { repo, ..request() };
            hub.locate(&request).unwrap().is_complete()
        };
        assert!(at("ccccccc") && !at("ddddddd") && !at("v2"));
        add(&second);
        let several = hub.locate(&request()).unwrap();
        assert_eq!(several.other_commits, [first, second]);
        assert!(!several.is_complete());
    }

    #[test]
    fn files_that_a_person_put_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub(folder.path());
        for missing in hub.locate(&request()).unwrap().missing {
            std::fs::create_dir_all(missing.path.parent().unwrap()).unwrap();
            std::fs::write(&missing.path, "x").unwrap();
        }
        assert!(hub.locate(&request()).unwrap().is_complete());
    }

    #[test]
    fn a_mirror_stands_in_for_the_hub() {
        let mut hub = hub(Path::new("/nowhere"));
        hub.settings.mirror = Some("http://mirror".to_owned());
        let mut request = request();
        let url = |hub: &Hub, request: &Request| hub.url(request, "config.json");
        assert_eq!(url(&hub, &request), "http://mirror/org/name/config.json");
        request.mirror = Some("http://own/weights/".to_owned());
        assert_eq!(url(&hub, &request), "http://own/weights/config.json");
    }

    #[test]
    fn a_name_that_leads_out_is_an_error() {
        let mut request = request();
        request.files.push(RepoFile::file("../../secret"));
        assert!(hub(Path::new("/nowhere")).locate(&request).is_err());
    }
}
