//! What the name of a data set leads to.

use std::path::PathBuf;

use harness_data::{DatasetLocation, KnownDataset};

use super::absent::Absent;
use super::{Places, shards};

/// Where a data set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatasetPlace {
    Here {
        path: PathBuf,
        /// The known data set whose layout it has, where the name says so.
        known: Option<String>,
    },
    /// A known data set that was not found.
    Absent {
        /// What has to be done by hand.
        advice: String,
        /// Files and folders that would have to be there.
        missing: Vec<String>,
    },
    /// A repository of a hub whose files are not all on disk.
    Unfetched(Box<Absent>),
    /// Nothing has this name.
    Nowhere,
}

impl Places {
    /// Where a data set is, given its name or path: a repository of a hub, a path, a data
    /// set that comes along, a known one in a folder of data, any other folder there.
    ///
    /// # Errors
    /// A sentence on what is wrong with the name of a repository, or with what is on disk
    /// of it.
    pub fn dataset(&self, name: &str) -> Result<DatasetPlace, String> {
        match shards::repository(name) {
            Some(repo) => shards::locate(self.hub(), name, &repo?),
            None => Ok(self.local_dataset(name)),
        }
    }

    fn local_dataset(&self, name: &str) -> DatasetPlace {
        if let Some(path) = self.embedded_dataset(name) {
            return DatasetPlace::Here { path, known: None };
        }
        let known = KnownDataset::find(name);
        let mut missing = Vec::new();
        for root in self.data() {
            match known.map(|known| (known, known.locate(root))) {
                Some((known, DatasetLocation::Found(path))) => {
                    return DatasetPlace::Here {
                        path: fs_err::canonicalize(&path).unwrap_or(path),
                        known: Some(known.name.clone()),
                    };
                }
                Some((_, DatasetLocation::Missing(files))) => missing.extend(files),
                None if !name.contains('/') && root.join(name).is_dir() => {
                    let path = root.join(name);
                    return DatasetPlace::Here {
                        path: fs_err::canonicalize(&path).unwrap_or(path),
                        known: None,
                    };
                }
                None => {}
            }
        }
        let Some(known) = known else {
            return DatasetPlace::Nowhere;
        };
        if self.data().is_empty() {
            let DatasetLocation::Missing(files) = known.locate("DATA".as_ref()) else {
                return DatasetPlace::Nowhere;
            };
            return DatasetPlace::Absent {
                advice: "name the folder DATA that holds it with --data, HARNESS_DATA or `data` in the suite".to_owned(),
                missing: files,
            };
        }
        DatasetPlace::Absent {
            advice: format!(
                "download {} and lay it out as the data guide says",
                known.title
            ),
            missing,
        }
    }
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
        let places = Places::at(root.path().to_owned(), at("embedded"));
        let bare = places.clone();
        let places = places.with_data(Some(&at("first")), Some("second"));
        let here = |name: &str| match places.dataset(name).unwrap() {
            DatasetPlace::Here { path, known } => Some((path, known)),
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
            assert_eq!(places.dataset(name), Ok(DatasetPlace::Nowhere), "{name}");
        }
        let DatasetPlace::Absent { missing, .. } = places.dataset("eurosat").unwrap() else {
            panic!("eurosat is known and not there");
        };
        assert_eq!(missing.len(), 4, "what each folder lacks: {missing:?}");
        let DatasetPlace::Absent { advice, missing } = bare.dataset("food101").unwrap() else {
            panic!("food101 is known");
        };
        assert!(advice.contains("HARNESS_DATA"), "{advice}");
        assert!(missing[0].starts_with("DATA/food-101/split_zhou_Food101.json"));
    }
}
