//! What a worker keeps loaded: the next job often needs the same.

use std::{num::NonZeroUsize, sync::Arc};

use harness_abi::wire::Script;
use harness_backbone::Backbone;
use harness_data::Dataset;

use harness_host::{
    boundary::ClassFeatures,
    plugin::{LoadedPlugin, MethodHandle},
};
use lru::LruCache;

use super::{device::OpenDevice, error::JobError, features::FeatureCache, memory::WorkerMemory};
use crate::{
    job::{BackboneFiles, BackboneRef, DatasetFiles, DatasetRef, MethodRef, PluginRef},
    plugin_ref::facts_sha256,
};

/// Backbones kept at once: a source and a target.
const BACKBONES: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
const DATASETS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Loaded backbones and data sets by their content hash, features, and the plugin.
pub(super) struct WorkerState {
    backbones: LruCache<String, LoadedBackbone>,
    datasets: LruCache<String, Arc<Dataset>>,
    /// With the script that it runs.
    plugin: Option<(LoadedPlugin, Option<Script>)>,
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

    /// A plugin. A worker loads only one.
    pub(super) fn plugin(&mut self, wanted: &PluginRef) -> Result<&LoadedPlugin, JobError> {
        let library = &wanted.library;
        let library = fs_err::canonicalize(library).unwrap_or_else(|_| library.clone());
        let script = wanted.script.as_ref().map(|script| &script.script);
        let loaded = match self.plugin.take() {
            Some(loaded) if loaded.0.path() != library || loaded.1.as_ref() != script => {
                let message = format!(
                    "this worker has loaded {} and cannot load {} as well",
                    loaded.0.path().display(),
                    wanted.file().display()
                );
                self.plugin = Some(loaded);
                return Err(JobError::Failed(message));
            }
            Some(loaded) => loaded,
            None => match script {
                Some(script) => (
                    LoadedPlugin::load_script(&library, script)?,
                    Some(script.clone()),
                ),
                None => (LoadedPlugin::load(&library)?, None),
            },
        };
        let (plugin, _) = self.plugin.insert(loaded);
        let facts = plugin.descriptor().plugin.script.as_ref();
        let expected = wanted.script.as_ref().and_then(|s| s.facts_sha256.as_ref());
        match (facts, expected) {
            (Some(facts), Some(expected)) if facts_sha256(facts) != *expected => {
                Err(JobError::Failed(format!(
                    "{}, or what it imports, has changed since the run read it; run again",
                    wanted.file().display()
                )))
            }
            _ => Ok(plugin),
        }
    }

    pub(super) fn method(&mut self, wanted: &MethodRef) -> Result<MethodHandle, JobError> {
        let plugin = self.plugin(&wanted.plugin)?;
        Ok(plugin.open(&wanted.id, &wanted.config)?)
    }
}
