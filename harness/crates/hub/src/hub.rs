//! Files of a repository: found on disk, or to be fetched.

use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::repo::{Repo, RepoError};
use crate::settings::Settings;
use crate::wanted::Wanted;

/// Files of one repository that are needed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub repo: Repo,
    pub files: Vec<Wanted>,
    /// A folder on the web that holds these files and is asked instead of the hub.
    pub mirror: Option<String>,
}

impl Request {
    /// Files of a repository of the hub.
    pub fn new(repo: Repo, files: Vec<Wanted>) -> Self {
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
    /// The folder that holds them, of one commit.
    pub folder: PathBuf,
    /// What was found, in the order of the request.
    pub found: Vec<PathBuf>,
    /// What is needed and not there. Optional files are not missed.
    pub missing: Vec<Missing>,
}

impl Located {
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A file that is needed and not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name, or its names if one of several will do.
    pub name: String,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// Bytes by rule of thumb.
    pub about: Option<u64>,
    /// Where it is looked for.
    pub place: PathBuf,
    /// Where it comes from.
    pub url: String,
}

/// The hub's files as this machine has them.
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

    /// With the settings of the process's environment.
    pub fn from_environment() -> Self {
        Self::new(Settings::from_environment())
    }

    /// Whether the network is not to be used.
    pub fn is_offline(&self) -> bool {
        self.settings.offline
    }

    /// Looks on disk only.
    ///
    /// # Errors
    /// A file name leads out of the repository.
    pub fn locate(&self, request: &Request) -> Result<Located, RepoError> {
        request.files.iter().try_for_each(Wanted::check)?;
        let folder = self.cache.snapshot(&request.repo);
        let mut located = Located {
            found: Vec::new(),
            missing: Vec::new(),
            folder,
        };
        for wanted in &request.files {
            let first = wanted.names.first().map_or("", String::as_str);
            match find(&located.folder, wanted) {
                Some((_, path)) => located.found.push(path),
                None if wanted.optional => {}
                None => located.missing.push(Missing {
                    name: wanted.label(),
                    size: wanted.size,
                    about: wanted.about,
                    place: located.folder.join(first),
                    url: self.url(request, first),
                }),
            }
        }
        Ok(located)
    }

    /// Where a file of a request is fetched from.
    pub(crate) fn url(&self, request: &Request, file: &str) -> String {
        match self.mirror(request) {
            Some(base) => format!("{base}/{}", crate::repo::encode(file, true)),
            None => request.repo.url(&self.settings.endpoint, file),
        }
    }

    /// The plain folder that stands in for the hub, if there is one.
    pub(crate) fn mirror(&self, request: &Request) -> Option<String> {
        let own = request.mirror.as_deref();
        let own = own.map(|base| base.trim_end_matches('/').to_owned());
        own.or_else(|| {
            let base = self.settings.mirror.as_deref()?;
            Some(format!("{base}/{}", request.repo.id()))
        })
    }
}

/// The first name of a file that is in a folder, with its path.
pub(crate) fn find<'w>(folder: &Path, wanted: &'w Wanted) -> Option<(&'w str, PathBuf)> {
    let names = wanted.names.iter();
    let mut found = names.map(|name| (name.as_str(), folder.join(name)));
    // Follows links: one whose blob is gone is no file.
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
        let mut weights = Wanted::any_of(["open_clip_model.safetensors", "model.safetensors"]);
        weights.size = Some(5);
        Request::new(
            Repo::model("org/name", "main").unwrap(),
            vec![
                weights,
                Wanted::file("config.json"),
                Wanted::file("tokenizer.json").optional(),
            ],
        )
    }

    #[test]
    fn what_another_tool_left_is_found() {
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
    fn files_that_a_person_put_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub(folder.path());
        for missing in hub.locate(&request()).unwrap().missing {
            std::fs::create_dir_all(missing.place.parent().unwrap()).unwrap();
            std::fs::write(&missing.place, "x").unwrap();
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
        request.files.push(Wanted::file("../../secret"));
        assert!(hub(Path::new("/nowhere")).locate(&request).is_err());
    }
}
