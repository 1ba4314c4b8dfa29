//! Image features of a data set: cached by this worker, read from the store, or encoded and
//! put there.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use candle_core::{Device, Tensor};
use harness_backbone::Backbone;
use harness_store::{FeatureKey, FeatureRequest, FeatureStore, Features, Precision};
use lru::LruCache;

use super::channel::Channel;
use super::error::JobError;
use crate::images::{ImageSet, encode};
use crate::job::{BackboneRef, DatasetRef, Line};

/// Bytes of features that a worker caches for its next jobs.
const CACHED_BYTES: usize = 256 << 20;

/// The matrices that a worker used last, by the digest of their key.
#[derive(Clone)]
pub(super) struct FeatureCache(Rc<RefCell<LruCache<String, Tensor>>>);

impl FeatureCache {
    pub(super) fn new() -> Self {
        // Bounded in bytes, by `insert`.
        Self(Rc::new(RefCell::new(LruCache::unbounded())))
    }

    fn get(&self, digest: &str) -> Option<Tensor> {
        self.0.borrow_mut().get(digest).cloned()
    }

    /// Adds a matrix and drops those that were not used for longest.
    fn insert(&self, digest: String, features: &Tensor) {
        let mut cache = self.0.borrow_mut();
        cache.put(digest, features.clone());
        let bytes = |cache: &LruCache<String, Tensor>| -> usize {
            let numbers = cache.iter().map(|(_, features)| features.elem_count());
            numbers.sum::<usize>() * size_of::<f32>()
        };
        while cache.len() > 1 && bytes(&cache) > CACHED_BYTES {
            cache.pop_lru();
        }
    }
}

/// A backbone's features of one data set.
pub(super) struct FeatureSource<'a> {
    pub(super) backbone: &'a Backbone,
    pub(super) backbone_ref: &'a BackboneRef,
    pub(super) dataset_ref: &'a DatasetRef,
    pub(super) store: &'a FeatureStore,
    pub(super) cache: &'a FeatureCache,
    pub(super) channel: &'a Channel,
    pub(super) precision: Precision,
}

impl FeatureSource<'_> {
    /// Features `[n, E]` of a view of all images of a set, not normalised. `images` identifies
    /// the set among those of its split.
    pub(super) fn all(&self, set: &ImageSet, images: &str, view: u32) -> Result<Tensor, JobError> {
        let request = self.request(set, images, view)?;
        let digest = request.key.digest();
        if let Some(features) = self.cache.get(&digest) {
            return Ok(features);
        }
        let stored = self.store.read(&request);
        self.warn();
        let (mut features, missing) = stored.map(|stored| (stored.features, stored.missing))?;
        let mut put = |rows: &Range<usize>, numbers: &[f32]| features.put(rows, numbers);
        self.encode(set, view, &request, &missing, &mut put, &mut |_| {})?;
        let Features { rows, width, data } = features;
        let features = Tensor::from_vec(data, (rows, width), &Device::Cpu)?;
        self.cache.insert(digest, &features);
        Ok(features)
    }

    /// Fills the store with the shards that begin in `rows`. Calls `progress` with the number
    /// of images of each batch.
    pub(super) fn fill(
        &self,
        set: &ImageSet,
        images: &str,
        view: u32,
        rows: &Range<usize>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), JobError> {
        let request = self.request(set, images, view)?;
        let missing = self.store.missing(&request, rows);
        self.warn();
        self.encode(set, view, &request, &missing?, &mut |_, _| {}, progress)
    }

    fn request(&self, set: &ImageSet, images: &str, view: u32) -> Result<FeatureRequest, JobError> {
        let transform = serde_json::to_string(self.backbone.transform());
        let what = format!(
            "{} images of {} on {}",
            set.split(),
            self.dataset_ref.name,
            self.backbone_ref.name
        );
        Ok(FeatureRequest {
            key: FeatureKey {
                backbone_sha256: self.backbone_ref.files()?.sha256.clone(),
                transform: transform.map_err(std::io::Error::other)?,
                manifest_sha256: self.dataset_ref.files()?.manifest_sha256.clone(),
                split: set.split().as_str().to_owned(),
                images: images.to_owned(),
                view: set.view_name(view),
                precision: self.precision,
            },
            rows: set.len(),
            width: self.backbone.dims().embed_dim,
            title: what,
        })
    }

    /// Encodes shards and puts each into the store as soon as it is complete.
    fn encode(
        &self,
        set: &ImageSet,
        view: u32,
        request: &FeatureRequest,
        shards: &[Range<usize>],
        each: &mut dyn FnMut(&Range<usize>, &[f32]),
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), JobError> {
        let mut open = shards.iter();
        let mut shard = open.next();
        let mut numbers = Vec::new();
        encode(
            self.backbone.image(),
            set,
            view,
            shards,
            |rows, features| {
                progress(rows.len());
                numbers.extend(features.flatten_all()?.to_vec1::<f32>()?);
                if let Some(whole) = shard.filter(|shard| shard.end == rows.end) {
                    each(whole, &self.store.put(request, whole, &numbers)?);
                    numbers.clear();
                    shard = open.next();
                }
                Ok(())
            },
        )
    }

    fn warn(&self) {
        for message in self.store.take_warnings() {
            // A scheduler that has exited will not read the reply either.
            let _ = self.channel.send(&Line::Warning { message });
        }
    }
}
