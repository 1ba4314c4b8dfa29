//! Where backbones and data sets are looked for.

use std::path::{Path, PathBuf};

use harness_hub::registry::BackboneEntry;
use harness_hub::{Hub, Request};

use super::backbones::{HUB, Published, Whereabouts};
use super::install_layout;
use crate::suite::SuiteError;

/// Environment variable that names the folder with `backbones/` and `datasets/`.
const VARIABLE: &str = "HARNESS_EMBEDDED";

/// Folders with `backbones/<name>` and `datasets/<name>`, the first that has a
/// name wins; paths in a suite count from the suite's folder. Backbones may also be
/// aliases and repositories of a hub.
#[derive(Clone, Debug)]
pub struct Places {
    base: PathBuf,
    roots: Vec<PathBuf>,
    /// Folders of the user's own data sets.
    data: Vec<PathBuf>,
    digests: Option<PathBuf>,
    published: Published,
}

impl Places {
    /// For a suite: `embedded` beside it before all others.
    pub fn of_suite(suite: &Path) -> Self {
        let base = suite.parent().unwrap_or(Path::new("")).to_owned();
        let beside = base.join("embedded");
        Self::new(base, Some(beside))
    }

    /// Without a suite.
    pub fn of_current_folder() -> Self {
        Self::new(PathBuf::new(), None)
    }

    /// Only `root`, with paths from `base`.
    pub fn at(base: PathBuf, root: PathBuf) -> Self {
        Self {
            base,
            roots: vec![root],
            data: Vec::new(),
            digests: None,
            published: Published::embedded(),
        }
    }

    fn new(base: PathBuf, beside: Option<PathBuf>) -> Self {
        if let Some(root) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            return Self::at(base, root.into());
        }
        // `suites/embedded` up from here, and up from the executable, which finds
        // a checkout's own from `target/debug`.
        let starts = [std::env::current_dir(), std::env::current_exe()];
        let above = starts.into_iter().flatten().flat_map(|start| {
            let folders = start
                .ancestors()
                .map(|folder| folder.join("suites/embedded"));
            folders.collect::<Vec<_>>()
        });
        let installed = install_layout::embedded_folder();
        let mut roots: Vec<PathBuf> = beside.into_iter().chain(above).chain(installed).collect();
        roots.retain(|root| root.is_dir());
        Self {
            base,
            roots,
            data: Vec::new(),
            digests: None,
            published: Published::embedded(),
        }
    }

    /// Takes the user's own aliases of backbones along: those of `backbones.yaml`
    /// beside the suite and those of the file that `HARNESS_BACKBONES` names.
    ///
    /// # Errors
    /// Such a file cannot be read or has mistakes.
    pub fn with_aliases(mut self) -> Result<Self, SuiteError> {
        self.published = Published::read(&self.base)?;
        Ok(self)
    }

    /// A path as a suite means it.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// Where a backbone is, given its name, path or repository. An alias of the
    /// user's own goes before a folder of that name, and that before an alias that
    /// comes with the program.
    ///
    /// # Errors
    /// A sentence on what is wrong with the name of a repository.
    pub fn backbone(&self, name: &str) -> Result<Whereabouts, String> {
        if is_path(name) {
            return Ok(match self.find("backbones", name) {
                Some(path) => Whereabouts::Here(path),
                None => Whereabouts::Nowhere,
            });
        }
        match self.published.of_user(name)? {
            Whereabouts::Nowhere => {}
            found => return Ok(found),
        }
        match self.find("backbones", name) {
            Some(path) => Ok(Whereabouts::Here(path)),
            None => self.published.of_hub(name),
        }
    }

    /// Whether a name leads to a backbone, on disk or not.
    ///
    /// # Errors
    /// As for [`Places::backbone`].
    pub fn has_backbone(&self, name: &str) -> Result<bool, String> {
        Ok(self.backbone(name)? != Whereabouts::Nowhere)
    }

    /// What a hub has of a backbone, unless a folder goes before it.
    pub fn request(&self, name: &str) -> Option<Request> {
        match self.published.of_user(name) {
            Ok(Whereabouts::Nowhere) if self.find("backbones", name).is_some() => None,
            _ => self.published.request(name),
        }
    }

    /// Backbones with an alias, and what is known of them; the nearest first.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &BackboneEntry)> {
        self.published.entries()
    }

    /// The hub whose files are looked for on this machine.
    pub fn hub(&self) -> &Hub {
        self.published.hub()
    }

    /// Looks for data sets by name in `first` and then in `of_suite`, which counts
    /// from the suite's folder.
    pub fn with_data(mut self, first: Option<&Path>, of_suite: Option<&str>) -> Self {
        let of_suite = of_suite.map(|path| self.resolve(path));
        self.data = first
            .map(Path::to_owned)
            .into_iter()
            .chain(of_suite)
            .collect();
        self
    }

    /// Remembers digests of image files in a folder.
    pub fn with_digests(mut self, folder: PathBuf) -> Self {
        self.digests = Some(folder);
        self
    }

    /// Folders in which data sets are looked for by name.
    pub fn data(&self) -> &[PathBuf] {
        &self.data
    }

    /// Where digests of image files are remembered.
    pub fn digests(&self) -> Option<&Path> {
        self.digests.as_deref()
    }

    /// The folder of a data set that comes along, given its name, or any path.
    pub(super) fn embedded_dataset(&self, name: &str) -> Option<PathBuf> {
        self.find("datasets", name)
    }

    /// Names of all backbones that need no path.
    pub fn backbones(&self) -> Vec<String> {
        let aliases = self.aliases().map(|(alias, _)| alias.to_owned());
        let mut names: Vec<String> = aliases.chain(self.folders_of_backbones()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Names of the backbones that lie in a folder of their name.
    pub fn folders_of_backbones(&self) -> Vec<String> {
        self.names("backbones")
    }

    /// Names of all data sets that come along.
    pub fn datasets(&self) -> Vec<String> {
        self.names("datasets")
    }

    /// A path of the suite, counted from its folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let found = if is_path(name) {
            // A table of images is a file.
            let exists = |path: &PathBuf| path.is_dir() || kind == "datasets" && path.is_file();
            Some(self.resolve(name)).filter(exists)
        } else {
            let folders = self.roots.iter().map(|root| root.join(kind).join(name));
            folders.into_iter().find(|path| path.is_dir())
        };
        found.and_then(|path| fs_err::canonicalize(path).ok())
    }

    fn names(&self, kind: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .roots
            .iter()
            .filter_map(|root| fs_err::read_dir(root.join(kind)).ok())
            .flat_map(|entries| entries.flatten())
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Whether a name is a path of its own.
fn is_path(name: &str) -> bool {
    (name.contains('/') || name.starts_with('.')) && !name.starts_with(HUB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_lead_to_folders() {
        let folder = tempfile::tempdir().unwrap();
        let embedded = folder.path().join("embedded");
        for path in [
            "backbones/a",
            "backbones/b",
            "backbones/.cache",
            "datasets/d",
        ] {
            std::fs::create_dir_all(embedded.join(path)).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("own/model")).unwrap();
        std::fs::write(embedded.join("backbones/README.md"), "").unwrap();
        std::fs::write(
            folder.path().join("backbones.yaml"),
            "mine: {path: own/model}\ngone: {path: nowhere}\na: {repo: org/other}\n",
        )
        .unwrap();
        let places = Places::of_suite(&folder.path().join("x.yaml"));
        let places = places.with_aliases().unwrap();
        let names = places.folders_of_backbones();
        assert!(names.starts_with(&["a".into(), "b".into()]));
        assert!(places.embedded_dataset("d").is_some());
        for name in ["b", "own/model", "./own/model", "mine"] {
            let found = places.backbone(name).unwrap();
            assert!(matches!(found, Whereabouts::Here(_)), "{name}: {found:?}");
        }
        for name in ["d", "c", "README.md", "./nowhere", "..x"] {
            assert_eq!(places.backbone(name), Ok(Whereabouts::Nowhere), "{name}");
        }
        // Known, wherever the files may be on the machine that tests.
        for name in ["gone", "a", "clip-vit-b16", "hf:org/no-such-name@refs/pr/1"] {
            assert_eq!(places.has_backbone(name), Ok(true), "{name}");
        }
        assert!(places.backbone("hf:org").is_err());
        let known = places.backbones();
        for name in ["a", "b", "mine", "clip-vit-b16"] {
            assert_eq!(
                known.iter().filter(|known| *known == name).count(),
                1,
                "{name}"
            );
        }
    }

    #[test]
    fn mistakes_in_aliases_have_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backbones.yaml");
        std::fs::write(
            &path,
            "mine:\n  repo: org\nhf:x: {path: a}\nboth: {repo: a/b, path: c}\nkey: {repoo: a/b}\n",
        )
        .unwrap();
        let places = Places::of_suite(&folder.path().join("x.yaml"));
        let error = places.with_aliases().unwrap_err().to_string();
        for part in [
            "backbones.yaml:2:9: invalid repository \"org\"",
            ":3:1: \"hf:x\" is no alias",
            ":4:1: \"both\" needs either `repo` or `path`",
            ":5:7: unknown key \"repoo\"",
            "did you mean \"repo\"?",
        ] {
            assert!(error.contains(part), "{part} in\n{error}");
        }
    }
}
