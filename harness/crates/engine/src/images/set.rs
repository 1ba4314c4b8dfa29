//! Some images of a split, as the image tower gets them.

use std::sync::Arc;

use candle_core::Tensor;
use harness_backbone::{ImageTransform, Region, View};
use harness_data::{Dataset, Mersenne, Split};
use harness_store::Sha256;

use super::{Augment, ImageOptions, ImagesError};

/// Images of one split in a fixed order, with the views that are shown of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImageSet {
    dataset: Arc<Dataset>,
    transform: ImageTransform,
    split: Split,
    /// Index in the split of each image; `None` for the whole split.
    picks: Option<Arc<[usize]>>,
    options: ImageOptions,
    seed: u64,
}

impl ImageSet {
    /// Every image of a split, unchanged.
    pub fn whole(dataset: Arc<Dataset>, transform: ImageTransform, split: Split) -> Self {
        Self {
            dataset,
            transform,
            split,
            picks: None,
            options: ImageOptions::default(),
            seed: 0,
        }
    }

    /// Only some images, by index, in this order.
    pub fn picked(self, picks: &[usize]) -> Self {
        Self {
            picks: Some(picks.into()),
            ..self
        }
    }

    /// With the views that `options` describe. They depend on the seed, the view's number
    /// and the image, not on the other images of the set.
    pub fn augmented(self, options: ImageOptions, seed: u64) -> Self {
        Self {
            options,
            seed,
            ..self
        }
    }

    pub fn split(&self) -> Split {
        self.split
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        match &self.picks {
            Some(picks) => picks.len(),
            None => self.dataset.len(self.split),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of different views of each image.
    pub fn views(&self) -> u32 {
        self.options.views
    }

    /// The name of a view in the feature store.
    pub(crate) fn view_name(&self, view: u32) -> String {
        self.options.view_name(self.seed, view)
    }

    /// Normalised pixels `[rows, 3, N, N]` of a view of some images.
    ///
    /// # Errors
    /// A row or view beyond the set, an image that cannot be read.
    pub fn pixels(
        &self,
        rows: impl IntoIterator<Item = usize>,
        view: u32,
    ) -> Result<Tensor, ImagesError> {
        let images = rows.into_iter().map(|row| self.image(row, view));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::stack(&images, 0)?)
    }

    /// Normalised pixels `[3, N, N]` of a view of one image.
    pub(crate) fn image(&self, row: usize, view: u32) -> Result<Tensor, ImagesError> {
        if row >= self.len() || view >= self.views() {
            return Err(ImagesError::OutOfRange {
                split: self.split,
                row,
                view,
                rows: self.len(),
                views: self.views(),
            });
        }
        let index = self.picks.as_ref().map_or(row, |picks| picks[row]);
        let image = self.dataset.image(self.split, index)?;
        let shown = self.view(image.dimensions(), index, view);
        Ok(self
            .transform
            .normalise(&self.transform.view(&image, &shown)?)?)
    }

    /// What is shown of an image of a size.
    fn view(&self, size: (u32, u32), index: usize, view: u32) -> View {
        if self.options.augment == Augment::None {
            return View::default();
        }
        let mut random = Mersenne::new(self.image_seed(index, view));
        let mut uniform = || random.uniform();
        let region = (self.options.augment == Augment::RandomResizedCrop)
            .then(|| Region::random(size, self.options.scale, &mut uniform));
        View {
            region,
            is_flipped: uniform() < 0.5,
        }
    }

    /// A seed for one view of one image.
    fn image_seed(&self, index: usize, view: u32) -> u64 {
        let text = format!(
            "view {view} of image {index} of {}, seed {}",
            self.split, self.seed
        );
        let hash = Sha256::default().update(text.as_bytes()).bytes();
        hash.iter()
            .take(8)
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }
}
