//! Image features of a data set: from the store, or encoded and put there.

use std::io;

use candle_core::{Device, Tensor};
use harness_backbone::Backbone;
use harness_data::{Dataset, FeatureKey, FeatureStore, Features, Split};

use super::error::JobError;
use crate::job::{BackboneRef, DatasetRef};

/// Images that go through the tower at once.
const BATCH: usize = 64;

/// A backbone's features of one data set.
pub(super) struct FeatureSource<'a> {
    pub(super) backbone: &'a Backbone,
    pub(super) backbone_ref: &'a BackboneRef,
    pub(super) dataset: &'a Dataset,
    pub(super) dataset_ref: &'a DatasetRef,
    pub(super) store: &'a FeatureStore,
}

impl FeatureSource<'_> {
    /// Features `[n, E]` of a whole split, unnormalised. `progress` hears of each
    /// batch that has to be encoded.
    pub(super) fn split(
        &self,
        split: Split,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Tensor, JobError> {
        let key = FeatureKey {
            backbone_sha256: self.backbone_ref.sha256.clone(),
            transform: serde_json::to_string(self.backbone.transform())
                .map_err(io::Error::other)?,
            manifest_sha256: self.dataset_ref.manifest_sha256.clone(),
            split,
            view: "plain".to_owned(),
        };
        let stored = self.store.get(&key)?;
        for warning in self.store.take_warnings() {
            eprintln!("warning: {warning}");
        }
        let features = match stored {
            Some(features) => features,
            None => {
                let features = self.encode(split, progress)?;
                self.store.put(&key, &features)?;
                features
            }
        };
        let shape = (features.rows, features.width);
        Ok(Tensor::from_vec(features.data, shape, &Device::Cpu)?)
    }

    fn encode(&self, split: Split, progress: &mut dyn FnMut(usize)) -> Result<Features, JobError> {
        let transform = self.backbone.transform();
        let width = self.backbone.dims().embed_dim;
        let rows = self.dataset.len(split);
        let mut data = Vec::with_capacity(rows * width);
        for start in (0..rows).step_by(BATCH) {
            let end = (start + BATCH).min(rows);
            let mut pixels = vec![];
            for index in start..end {
                pixels.push(transform.apply(&self.dataset.image(split, index)?)?);
            }
            let features = self.backbone.image().encode(&Tensor::stack(&pixels, 0)?)?;
            data.extend(features.flatten_all()?.to_vec1::<f32>()?);
            progress(end - start);
        }
        Ok(Features { rows, width, data })
    }
}
