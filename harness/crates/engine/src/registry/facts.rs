//! What a plan has to know of a backbone and a data set, apart from weights and images.

use std::error::Error;
use std::path::{Path, PathBuf};

use harness_backbone::{Backbone, Dims};
use harness_data::{Dataset, KnownDataset, OpenOptions, Split};

use super::{Absent, DatasetPath, Location, LocationError, SearchPath, image_size, shards};
use crate::job::{BackboneFiles, BackboneRef, DatasetFiles, DatasetRef, Presence};
use crate::suite::DatasetEntry;
use harness_store::sha256_hex;

/// A backbone that a suite names.
#[derive(Clone, Debug, PartialEq)]
pub struct BackboneFacts {
    pub reference: BackboneRef,
    pub architecture: Presence<Architecture>,
}

/// What a backbone's configuration and the names of its tensors say.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    pub dims: Dims,
    /// Checkpoint layout.
    pub layout: String,
    /// What is read otherwise than it is stored, a line each.
    pub notes: Vec<String>,
}

/// A backbone on disk under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct PresentBackbone {
    pub name: String,
    pub files: BackboneFiles,
    pub architecture: Architecture,
}

/// A data set that a suite names.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetFacts {
    pub reference: DatasetRef,
    /// Its own name, whatever the suite calls it.
    pub name: String,
    pub title: String,
    /// The data set that modules are trained on, if it is another.
    pub shift_of: Option<String>,
    pub contents: Presence<Contents>,
}

/// What a data set's annotations say.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    pub class_names: Vec<String>,
    /// Prompt templates, each with one `{}`.
    pub templates: Vec<String>,
    /// Ids by which data sets share classes; unique.
    pub class_ids: Vec<String>,
    /// Images of the train, val and test split.
    pub sizes: [usize; 3],
    /// Training images of each class, in label order.
    pub train_per_class: Vec<usize>,
    /// Images that are skipped because they are missing or unreadable.
    pub missing: usize,
}

/// Why a backbone or data set cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    #[error("cannot use the {kind} {name} ({}): {source}", .path.display())]
    Unusable {
        kind: &'static str,
        name: String,
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("{0}")]
    Absent(Box<Absent>),
    #[error("{name}: {source}")]
    Location { name: String, source: LocationError },
    #[error("unknown {kind} {name:?}{wanted_by}")]
    Unknown {
        kind: &'static str,
        name: String,
        wanted_by: String,
    },
}

impl BackboneFacts {
    /// A backbone that is not on disk.
    pub(crate) fn absent(name: &str) -> Self {
        Self {
            reference: BackboneRef {
                name: name.to_owned(),
                files: Presence::Absent,
            },
            architecture: Presence::Absent,
        }
    }

    /// Reads a backbone's configuration and hashes its files.
    ///
    /// # Errors
    /// The name is unknown, or leads to something that is not a backbone.
    pub fn read(search_path: &SearchPath, name: &str) -> Result<Self, FactsError> {
        let PresentBackbone {
            name,
            files,
            architecture,
        } = PresentBackbone::read(search_path, name)?;
        Ok(Self {
            reference: BackboneRef {
                name,
                files: Presence::Present(files),
            },
            architecture: Presence::Present(architecture),
        })
    }
}

impl PresentBackbone {
    /// Reads a backbone's configuration and hashes its files.
    ///
    /// # Errors
    /// The name is unknown, leads to something that is not a backbone, or to nothing on disk.
    pub fn read(search_path: &SearchPath, name: &str) -> Result<Self, FactsError> {
        let kind = "backbone";
        let found = search_path.backbone(name);
        let path = match found.map_err(|source| not_found(name, source))? {
            Location::Found(path) => path,
            Location::Absent(absent) => return Err(FactsError::Absent(absent)),
            Location::Unknown => return Err(missing(kind, name, "")),
        };
        let unusable = |source: Box<dyn Error + Send + Sync>| FactsError::Unusable {
            kind,
            name: name.to_owned(),
            path: path.clone(),
            source,
        };
        let (_, image_size) = image_size::split(name);
        Backbone::check_at(&path, image_size).map_err(|error| unusable(error.into()))?;
        let read = harness_backbone::Architecture::at(&path, image_size);
        let read = read.map_err(|error| unusable(error.into()))?;
        let digest = harness_backbone::digest(&path).map_err(|error| unusable(error.into()))?;
        let sha256 = match image_size {
            Some(size) => sha256_hex(format!("{digest} at {size} pixels").as_bytes()),
            None => digest,
        };
        let mut notes = read.notes;
        let request = search_path.request(name);
        if let Some(commit) = request.and_then(|request| search_path.hub().assumed(&request.repo)) {
            notes.push(format!(
                "the cache does not say which commit is meant; the only one in it is used, {commit}"
            ));
        }
        let architecture = Architecture {
            dims: read.dims,
            layout: read.layout.name().to_owned(),
            notes,
        };
        Ok(Self {
            name: name.to_owned(),
            files: BackboneFiles {
                path,
                sha256,
                image_size,
            },
            architecture,
        })
    }
}

impl DatasetFacts {
    /// A data set that is not on disk, with what is published about it.
    pub(crate) fn absent(entry: &DatasetEntry) -> Self {
        let published = KnownDataset::find(&entry.name).and_then(|known| known.shift_of.clone());
        Self {
            name: shards::own_name(&entry.name).to_owned(),
            reference: DatasetRef {
                name: entry.label.clone(),
                files: Presence::Absent,
            },
            title: entry.name.clone(),
            shift_of: entry.shift_of.clone().or(published),
            contents: Presence::Absent,
        }
    }

    /// Whether `name` is the suite's name for it or its own.
    pub(crate) fn goes_by(&self, name: &str) -> bool {
        self.reference.name == name || self.name == name
    }

    /// Reads a data set's manifest. `wanted_by` says what needs it, if not the suite.
    ///
    /// # Errors
    /// The name is unknown, or leads to something that is not a data set.
    pub fn read(
        search_path: &SearchPath,
        entry: &DatasetEntry,
        wanted_by: &str,
    ) -> Result<Self, FactsError> {
        let kind = "data set";
        let name = &entry.name;
        let (path, opening) = find_dataset(search_path, entry, wanted_by)?;
        let dataset =
            Dataset::open_with(&path, &opening).map_err(|error| FactsError::Unusable {
                kind,
                name: name.to_owned(),
                path: path.clone(),
                source: error.into(),
            })?;
        Ok(Self {
            name: dataset.name().to_owned(),
            title: dataset.title().to_owned(),
            shift_of: dataset.shift_of().map(str::to_owned),
            contents: Presence::Present(Contents {
                class_names: dataset.class_names().to_vec(),
                class_ids: dataset.class_ids().to_vec(),
                templates: dataset.templates().to_vec(),
                sizes: Split::ALL.map(|split| dataset.len(split)),
                train_per_class: train_per_class(&dataset),
                missing: dataset.missing(),
            }),
            reference: DatasetRef {
                name: entry.label.clone(),
                files: Presence::Present(DatasetFiles {
                    path,
                    opening,
                    manifest_sha256: dataset.manifest_sha256().to_owned(),
                }),
            },
        })
    }
}

fn train_per_class(dataset: &Dataset) -> Vec<usize> {
    let mut counts = vec![0; dataset.classes().len()];
    for label in &dataset.split(Split::Train).labels {
        counts[*label as usize] += 1;
    }
    counts
}

/// Where a data set is on disk, and how the entry of a suite has it read.
pub(crate) fn find_dataset(
    search_path: &SearchPath,
    entry: &DatasetEntry,
    wanted_by: &str,
) -> Result<(PathBuf, OpenOptions), FactsError> {
    let found = search_path.dataset(&entry.name);
    match found.map_err(|source| not_found(&entry.name, source))? {
        Location::Found(DatasetPath { path, known }) => Ok((
            path,
            OpenOptions {
                known,
                digests: search_path.digests().map(Path::to_owned),
                rehash: search_path.rehash(),
                ..entry.opening()
            },
        )),
        // Under its name in the report, by which cells wait for it.
        Location::Absent(absent) => Err(FactsError::Absent(Box::new(Absent {
            name: entry.label.clone(),
            ..*absent
        }))),
        Location::Unknown => Err(missing("data set", &entry.name, wanted_by)),
    }
}

pub(crate) fn not_found(name: &str, source: LocationError) -> FactsError {
    FactsError::Location {
        name: name.to_owned(),
        source,
    }
}

pub(crate) fn missing(kind: &'static str, name: &str, wanted_by: &str) -> FactsError {
    FactsError::Unknown {
        kind,
        name: name.to_owned(),
        wanted_by: wanted_by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_shifted_set_is_trained_on_its_base_before_it_is_on_disk() {
        let shift_of = |name: &str| DatasetFacts::absent(&DatasetEntry::named(name)).shift_of;
        assert_eq!(shift_of("imagenet-a").as_deref(), Some("imagenet"));
        assert_eq!(shift_of("imagenet"), None);
        assert_eq!(shift_of("dtd"), None);
    }
}
