//! Where backbones and data sets are looked for.

use std::path::{Path, PathBuf};

/// Environment variable that names the folder with `backbones/` and `datasets/`.
const VARIABLE: &str = "HARNESS_EMBEDDED";

/// Folders with `backbones/<name>` and `datasets/<name>`, the first that has a
/// name wins; paths in a suite count from the suite's folder.
#[derive(Clone, Debug)]
pub struct Places {
    base: PathBuf,
    roots: Vec<PathBuf>,
    /// Folders of the user's own data sets.
    data: Vec<PathBuf>,
    digests: Option<PathBuf>,
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
        let mut roots: Vec<PathBuf> = beside.into_iter().chain(above).collect();
        roots.retain(|root| root.is_dir());
        Self {
            base,
            roots,
            data: Vec::new(),
            digests: None,
        }
    }

    /// The folder of a backbone, given its name or path.
    pub fn backbone(&self, name: &str) -> Option<PathBuf> {
        self.find("backbones", name)
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
        let found = if name.contains('/') || name.starts_with('.') {
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
        let places = Places::of_suite(&folder.path().join("x.yaml"));
        assert!(places.backbones().starts_with(&["a".into(), "b".into()]));
        assert!(places.backbone("a").is_some());
        assert!(places.embedded_dataset("d").is_some());
        assert!(places.backbone("own/model").is_some());
        assert!(places.backbone("./own/model").is_some());
        for name in ["d", "c", "README.md", "./nowhere", "..x"] {
            assert_eq!(places.backbone(name), None, "{name}");
        }
    }
}
