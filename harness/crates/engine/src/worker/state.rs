//! What a worker keeps loaded: the next job often needs the same.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use harness_backbone::Backbone;
use harness_data::Dataset;

use harness_host::{
    boundary::ClassFeatures,
    plugin::{LoadedPlugin, MethodHandle},
};
use lru::LruCache;

use super::{device::OpenDevice, error::JobError, features::FeatureCache, memory::WorkerMemory};
use crate::job::{BackboneFiles, BackboneRef, DatasetFiles, DatasetRef, MethodRef};

/// Backbones kept at once: a source and a target.
const BACKBONES: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
const DATASETS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Loaded backbones and data sets by their content hash, features, and the plugin.
pub(super) struct WorkerState {
    backbones: LruCache<String, LoadedBackbone>,
    datasets: LruCache<String, Arc<Dataset>>,
    plugin: Option<LoadedPlugin>,
    /// Opened with the first backbone; none within for the CPU.
    device: Option<Option<OpenDevice>>,
    pub(super) features: FeatureCache,
}

/// A backbone with the class features that were computed on it.
#[derive(Clone)]
pub(super) struct LoadedBackbone {
    pub(super) backbone: Arc<Backbone>,
    pub(super) class_features: Arc<ClassFeatures>,
}

impl WorkerState {
    pub(super) fn new() -> Self {
        Self {
            backbones: LruCache::new(BACKBONES),
            datasets: LruCache::new(DATASETS),
            plugin: None,
            device: None,
            features: FeatureCache::new(),
        }
    }

    pub(super) fn backbone(&mut self, wanted: &BackboneRef) -> Result<LoadedBackbone, JobError> {
        let BackboneFiles {
            path,
            sha256,
            image_size,
        } = wanted.files()?;
        let device = match &self.device {
            Some(device) => device.clone(),
            None => self.device.insert(OpenDevice::of_worker()?).clone(),
        };
        let load = || -> Result<_, JobError> {
            let mut backbone = Backbone::load_at(path, *image_size)?;
            let activations = WorkerMemory::of_environment().activations();
            let most = usize::try_from(activations).unwrap_or(usize::MAX);
            backbone = backbone.with_activation_limit(most);
            if let Some(device) = &device {
                backbone = device.place(backbone);
            }
            Ok(LoadedBackbone {
                backbone: Arc::new(backbone),
                class_features: Arc::default(),
            })
        };
        let loaded = self.backbones.try_get_or_insert_ref(sha256, load)?;
        Ok(loaded.clone())
    }

    /// Whether the device ran out of memory since this was last asked.
    pub(super) fn take_ran_out_of_memory(&self) -> bool {
        let loaded = self.backbones.iter();
        // Each is asked, so that none remembers it for the next job.
        loaded.fold(false, |any, (_, loaded)| {
            loaded.backbone.take_ran_out_of_memory() || any
        })
    }

    pub(super) fn dataset(&mut self, wanted: &DatasetRef) -> Result<Arc<Dataset>, JobError> {
        let DatasetFiles {
            path,
            opening,
            manifest_sha256,
        } = wanted.files()?;
        let load = || -> Result<_, JobError> { Ok(Arc::new(Dataset::open_with(path, opening)?)) };
        let loaded = self.datasets.try_get_or_insert_ref(manifest_sha256, load)?;
        Ok(Arc::clone(loaded))
    }

    /// The plugin at a path. A worker loads only one.
    pub(super) fn plugin(&mut self, path: &Path) -> Result<&LoadedPlugin, JobError> {
        let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match self.plugin.take() {
            Some(loaded) if loaded.path() != path => {
                let message = format!(
                    "this worker has loaded {} and cannot load {} as well",
                    loaded.path().display(),
                    path.display()
                );
                self.plugin = Some(loaded);
                Err(JobError::Failed(message))
            }
            Some(loaded) => Ok(self.plugin.insert(loaded)),
            None => Ok(self.plugin.insert(LoadedPlugin::load(&path)?)),
        }
    }

    pub(super) fn method(&mut self, wanted: &MethodRef) -> Result<MethodHandle, JobError> {
        let plugin = self.plugin(&wanted.plugin)?;
        Ok(plugin.open(&wanted.id, &wanted.config)?)
    }
}
