//! What the name of a data set leads to.

use std::path::PathBuf;

use harness_data::{DatasetLocation, KnownDataset};

use super::absent::Absent;
use super::{DatasetPath, Location, LocationError, SearchPath, shards};

impl SearchPath {
    /// Where a data set is, given its name or path: a repository of a hub, a path, a bundled
    /// data set, a known one in a folder of data sets, or any other folder there.
    ///
    /// # Errors
    /// The name of a repository is malformed, or its files on disk are damaged.
    pub fn dataset(&self, name: &str) -> Result<Location<DatasetPath>, LocationError> {
        match shards::repository(name) {
            Some(repo) => shards::locate(self.hub(), name, &repo?),
            None => Ok(self.local_dataset(name)),
        }
    }

    fn local_dataset(&self, name: &str) -> Location<DatasetPath> {
        if let Some(path) = self.bundled_dataset(name) {
            return Location::Found(DatasetPath { path, known: None });
        }
        let known = KnownDataset::find(name);
        let mut missing = Vec::new();
        for root in self.data() {
            match known.map(|known| (known, known.locate(root))) {
                Some((known, DatasetLocation::Found(path))) => {
                    return found(path, Some(known.name.clone()));
                }
                Some((_, DatasetLocation::Missing(files))) => missing.extend(files),
                None if !name.contains('/') && root.join(name).is_dir() => {
                    let path = root.join(name);
                    return found(path, None);
                }
                None => {}
            }
        }
        let Some(known) = known else {
            return Location::Unknown;
        };
        if self.data().is_empty() {
            let DatasetLocation::Missing(files) = known.locate("DATA".as_ref()) else {
                return Location::Unknown;
            };
            let advice = "not bundled; name the folder DATA that holds it with --data, HARNESS_DATA or `data` in the suite";
            return absent(name, advice.to_owned(), files);
        }
        let advice = format!(
            "not bundled; download {} and lay it out as the data guide describes",
            known.title
        );
        absent(name, advice, missing)
    }
}

fn found(path: PathBuf, known: Option<String>) -> Location<DatasetPath> {
    let path = fs_err::canonicalize(&path).unwrap_or(path);
    Location::Found(DatasetPath { path, known })
}

fn absent(name: &str, advice: String, missing: Vec<String>) -> Location<DatasetPath> {
    Location::Absent(Box::new(Absent::by_hand(name, advice, missing)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_looked_for_in_every_folder_of_data() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for path in ["first/mine", "second/DTD", "embedded/datasets/shapes"] {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        std::fs::write(at("table.csv"), "").unwrap();
        std::fs::write(at("second/DTD/split_zhou_DescribableTextures.json"), "").unwrap();
        let search_path = SearchPath::at(root.path().to_owned(), at("embedded"));
        let bare = search_path.clone();
        let search_path = search_path.with_data(Some(&at("first")), Some("second"));
        let here = |name: &str| match search_path.dataset(name).unwrap() {
            Location::Found(DatasetPath { path, known }) => Some((path, known)),
            _ => None,
        };
        let canonical = |path: &Path| std::fs::canonicalize(path).unwrap();
        let dtd = (canonical(&at("second/DTD")), Some("dtd".to_owned()));
        assert_eq!(here("dtd"), Some(dtd.clone()));
        assert_eq!(here("describable-textures"), Some(dtd));
        assert_eq!(here("mine"), Some((canonical(&at("first/mine")), None)));
        assert_eq!(here("shapes").unwrap().1, None);
        assert_eq!(here("./table.csv").unwrap().0, canonical(&at("table.csv")));
        for name in ["yours", "./nowhere", "../mine"] {
            let found = search_path.dataset(name).unwrap();
            assert_eq!(found, Location::Unknown, "{name}");
        }
        let Location::Absent(absent) = search_path.dataset("eurosat").unwrap() else {
            panic!("eurosat is known and not on disk");
        };
        assert_eq!(absent.files.len(), 4, "what each folder lacks: {absent}");
        let Location::Absent(absent) = bare.dataset("food101").unwrap() else {
            panic!("food101 is known");
        };
        assert!(absent.advice.contains("HARNESS_DATA"), "{absent}");
        let first = &absent.files[0].name;
        assert!(
            first.starts_with("DATA/food-101/split_zhou_Food101.json"),
            "{first}"
        );
    }
}
