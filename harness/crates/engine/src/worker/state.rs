//! What a worker has loaded so far; the next job often needs the same.

use std::{path::Path, sync::Arc};

use harness_backbone::Backbone;
use harness_data::Dataset;

use harness_host::plugin::{MethodHandle, Plugin};

use super::{error::JobError, features::KeptFeatures};
use crate::job::{BackboneRef, DatasetRef, MethodRef};

/// Loaded backbones, data sets, features and the plugin.
#[derive(Default)]
pub(super) struct Desk {
    backbones: Vec<(String, Arc<Backbone>)>,
    datasets: Vec<(String, Arc<Dataset>)>,
    plugin: Option<Plugin>,
    pub(super) features: KeptFeatures,
}

/// Backbones kept at once: a source and a target.
const BACKBONES: usize = 2;
const DATASETS: usize = 2;

impl Desk {
    pub(super) fn backbone(&mut self, wanted: &BackboneRef) -> Result<Arc<Backbone>, JobError> {
        let load = || Ok(Backbone::load(&wanted.path)?);
        keep(&mut self.backbones, BACKBONES, &wanted.sha256, load)
    }

    pub(super) fn dataset(&mut self, wanted: &DatasetRef) -> Result<Arc<Dataset>, JobError> {
        let load = || Ok(Dataset::open_with(&wanted.path, &wanted.opening)?);
        keep(&mut self.datasets, DATASETS, &wanted.manifest_sha256, load)
    }

    /// The plugin at a path. A worker holds one plugin for life.
    pub(super) fn plugin(&mut self, path: &Path) -> Result<&Plugin, JobError> {
        let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match self.plugin.take() {
            Some(loaded) if loaded.path() != path => {
                let message = format!(
                    "this worker has loaded {} and cannot load {} too",
                    loaded.path().display(),
                    path.display()
                );
                self.plugin = Some(loaded);
                Err(JobError::Failed(message))
            }
            Some(loaded) => Ok(self.plugin.insert(loaded)),
            None => Ok(self.plugin.insert(Plugin::load(&path)?)),
        }
    }

    pub(super) fn method(&mut self, wanted: &MethodRef) -> Result<MethodHandle, JobError> {
        let plugin = self.plugin(&wanted.plugin)?;
        Ok(plugin.open(&wanted.id, &wanted.config)?)
    }
}

/// Looks a value up by its content hash, or loads it in place of the oldest.
fn keep<T>(
    kept: &mut Vec<(String, Arc<T>)>,
    most: usize,
    key: &str,
    load: impl FnOnce() -> Result<T, JobError>,
) -> Result<Arc<T>, JobError> {
    if let Some((_, value)) = kept.iter().find(|(k, _)| k == key) {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(load()?);
    if kept.len() == most {
        kept.remove(0);
    }
    kept.push((key.to_owned(), Arc::clone(&value)));
    Ok(value)
}
