//! Where backbones and data sets are looked for.

use std::path::{Path, PathBuf};

use harness_hub::registry::BackboneEntry;
use harness_hub::{Hub, Request};

use super::backbones::{HUB, Published};
use super::{Location, LocationError, image_size, install_layout};
use crate::suite::{KnownInputs, LookupError, SuiteError};

/// Environment variable that names the folder with `backbones/` and `datasets/`.
const VARIABLE: &str = "HARNESS_EMBEDDED";

/// Where names are looked up: folders with `backbones/<name>` and `datasets/<name>`, of
/// which the first that has the name wins, aliases, and repositories of a hub. Paths in a
/// suite are relative to the suite's folder.
#[derive(Clone, Debug)]
pub struct SearchPath {
    base: PathBuf,
    roots: Vec<PathBuf>,
    /// Folders of the user's own data sets.
    data: Vec<PathBuf>,
    digests: Option<PathBuf>,
    rehash: bool,
    published: Published,
}

impl SearchPath {
    /// For a suite, with the folder `embedded` beside it first.
    pub fn of_suite(suite: &Path) -> Self {
        let base = suite.parent().unwrap_or(Path::new("")).to_owned();
        let beside = base.join("embedded");
        Self::new(base, Some(beside))
    }

    /// Without a suite.
    pub fn of_current_folder() -> Self {
        Self::new(PathBuf::new(), None)
    }

    /// Only `root`; paths are relative to `base`.
    pub fn at(base: PathBuf, root: PathBuf) -> Self {
        Self {
            base,
            roots: vec![root],
            data: Vec::new(),
            digests: None,
            rehash: false,
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
            rehash: false,
            published: Published::embedded(),
        }
    }

    /// Adds the user's own aliases of backbones: those in `backbones.yaml` beside the suite
    /// and those in the file that `HARNESS_BACKBONES` names.
    ///
    /// # Errors
    /// One of these files cannot be read or has mistakes.
    pub fn with_aliases(mut self) -> Result<Self, SuiteError> {
        self.published = Published::read(&self.base)?;
        Ok(self)
    }

    /// Where a backbone is, given its name, path or repository. The user's own aliases take
    /// precedence over folders, and folders over the built-in aliases.
    ///
    /// # Errors
    /// The name of a repository is malformed.
    pub fn backbone(&self, name: &str) -> Result<Location, LocationError> {
        let (name, _) = image_size::split(name);
        if is_path(name) {
            return Ok(self.folder("backbones", name));
        }
        let aliased = self.published.of_user(name)?;
        if aliased.is_known() {
            return Ok(aliased);
        }
        match self.folder("backbones", name) {
            Location::Unknown => self.published.of_hub(name),
            found => Ok(found),
        }
    }

    fn folder(&self, kind: &str, name: &str) -> Location {
        match self.find(kind, name) {
            Some(path) => Location::Found(path),
            None => Location::Unknown,
        }
    }

    /// What a hub has of a backbone, unless a folder takes precedence.
    pub fn request(&self, name: &str) -> Option<Request> {
        let (name, _) = image_size::split(name);
        match self.published.of_user(name) {
            Ok(Location::Unknown) if self.find("backbones", name).is_some() => None,
            _ => self.published.request(name),
        }
    }

    /// Backbones with an alias and what is known of them, in order of precedence.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &BackboneEntry)> {
        self.published.entries()
    }

    /// The hub whose cache is searched.
    pub fn hub(&self) -> &Hub {
        self.published.hub()
    }

    /// Looks for data sets by name in `first` and then in `of_suite`, which is relative to
    /// the suite's folder.
    pub fn with_data(mut self, first: Option<&Path>, of_suite: Option<&str>) -> Self {
        let of_suite = of_suite.map(|path| self.resolve(path));
        self.data = first
            .map(Path::to_owned)
            .into_iter()
            .chain(of_suite)
            .collect();
        self
    }

    /// Caches digests of image files in a folder.
    pub fn with_digests(mut self, folder: PathBuf) -> Self {
        self.digests = Some(folder);
        self
    }

    /// Folders in which data sets are looked for by name.
    pub fn data(&self) -> &[PathBuf] {
        &self.data
    }

    /// Has every image file hashed again, whatever the cached digests say.
    pub fn with_rehash(mut self, rehash: bool) -> Self {
        self.rehash = rehash;
        self
    }

    /// Whether image files are hashed again.
    pub fn rehash(&self) -> bool {
        self.rehash
    }

    /// Where digests of image files are cached.
    pub fn digests(&self) -> Option<&Path> {
        self.digests.as_deref()
    }

    /// The folder of a bundled data set by its name, or any path.
    pub(super) fn bundled_dataset(&self, name: &str) -> Option<PathBuf> {
        self.find("datasets", name)
    }

    /// Names of the backbones that have a folder of that name.
    pub fn backbone_folders(&self) -> Vec<String> {
        self.names("backbones")
    }

    /// Names of the bundled data sets.
    pub fn bundled_datasets(&self) -> Vec<String> {
        self.names("datasets")
    }

    /// A path in the suite, which is relative to the suite's folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// The files that a pattern in the suite matches, sorted.
    ///
    /// # Errors
    /// The pattern is malformed, or a folder cannot be read.
    pub fn files(&self, pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
        let base = glob::Pattern::escape(&self.base.to_string_lossy());
        let pattern = match Path::new(pattern).is_absolute() || base.is_empty() {
            true => pattern.to_owned(),
            false => format!("{base}/{pattern}"),
        };
        let mut files = Vec::new();
        for path in glob::glob(&pattern)? {
            let path = path?;
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let found = if is_path(name) {
            // A data set may be a table of images, which is a file.
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

impl KnownInputs for SearchPath {
    fn backbones(&self) -> Vec<String> {
        let aliases = self.aliases().map(|(alias, _)| alias.to_owned());
        let mut names: Vec<String> = aliases.chain(self.backbone_folders()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn has_backbone(&self, name: &str) -> Result<bool, LookupError> {
        Ok(self.backbone(name)?.is_known())
    }

    fn datasets(&self) -> Vec<String> {
        let known = harness_data::KnownDataset::all().iter();
        let mut names = self.bundled_datasets();
        names.extend(known.map(|known| known.name.clone()));
        names
    }

    fn has_dataset(&self, name: &str) -> Result<bool, LookupError> {
        Ok(self.dataset(name)?.is_known())
    }
}

/// Why the files of a pattern cannot be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    #[error("malformed pattern: {0}")]
    Pattern(#[from] glob::PatternError),
    #[error(transparent)]
    Folder(#[from] glob::GlobError),
}

/// Whether a name is a path.
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
        let search_path = SearchPath::of_suite(&folder.path().join("x.yaml"));
        let search_path = search_path.with_aliases().unwrap();
        let names = search_path.backbone_folders();
        assert!(names.starts_with(&["a".into(), "b".into()]));
        assert!(search_path.bundled_dataset("d").is_some());
        for name in ["b", "own/model", "./own/model", "mine"] {
            let found = search_path.backbone(name).unwrap();
            assert!(matches!(found, Location::Found(_)), "{name}: {found:?}");
        }
        for name in ["d", "c", "README.md", "./nowhere", "..x"] {
            let found = search_path.backbone(name).unwrap();
            assert_eq!(found, Location::Unknown, "{name}");
        }
        // Known, wherever the files may be on the machine that tests.
        for name in ["gone", "a", "clip-vit-b16", "hf:org/no-such-name@refs/pr/1"] {
            assert!(search_path.has_backbone(name).unwrap(), "{name}");
        }
        assert!(search_path.backbone("hf:org").is_err());
        let known = search_path.backbones();
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
        let search_path = SearchPath::of_suite(&folder.path().join("x.yaml"));
        let error = search_path.with_aliases().unwrap_err().to_string();
        for part in [
            "backbones.yaml:2:9: invalid repository \"org\"",
            ":3:1: invalid alias \"hf:x\"",
            ":4:1: \"both\" needs either `repo` or `path`",
            ":5:7: unknown key \"repoo\"",
            "did you mean \"repo\"?",
        ] {
            assert!(error.contains(part), "{part} in\n{error}");
        }
    }
}
