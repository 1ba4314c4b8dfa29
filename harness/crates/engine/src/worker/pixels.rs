//! Rows of a task as pixels, for methods with sites in the image tower.
//!
//! Each epoch reads all few-shot images in turn. A cache that drops what was not used for
//! longest would drop each image right before it is read again, so the first that fit stay.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use candle_core::Tensor;
use harness_abi::wire::Split as Part;

use crate::images::{ImageSet, ImagesError};
use harness_host::boundary::{Pixels, SourceError};

/// Bytes of decoded few-shot images that are cached.
const CACHED_BYTES: usize = 256 << 20;

/// The images behind the rows of a task.
pub(super) struct SplitPixels {
    /// The few-shot draws of the train and val splits, in training.
    drawn: Option<(ImageSet, ImageSet)>,
    test: ImageSet,
    /// Few-shot images as the tower reads them.
    cache: Mutex<HashMap<(Part, u32, u32), Tensor>>,
}

impl SplitPixels {
    pub(super) fn new(drawn: Option<(ImageSet, ImageSet)>, test: ImageSet) -> Self {
        Self {
            drawn,
            test,
            cache: Mutex::default(),
        }
    }

    fn image(&self, part: Part, row: u32, view: u32) -> Result<Tensor, ImagesError> {
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = cache().get(&(part, row, view)) {
            return Ok(pixels.clone());
        }
        let set = match (part, &self.drawn) {
            (Part::Test, _) => &self.test,
            (Part::Train, Some((train, _))) => train,
            (Part::Val, Some((_, val))) => val,
            (_, None) => {
                return Err(ImagesError::NoFewShotImages);
            }
        };
        let pixels = set.image(row as usize, view)?;
        let mut cache = cache();
        if part != Part::Test && (cache.len() + 1) * pixels.elem_count() * 4 <= CACHED_BYTES {
            cache.insert((part, row, view), pixels.clone());
        }
        Ok(pixels)
    }
}

impl Pixels for SplitPixels {
    fn pixels(&self, split: Part, rows: &[u32], view: u32) -> Result<Tensor, SourceError> {
        let images = rows.iter().map(|&row| self.image(split, row, view));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::stack(&images, 0)?)
    }
}
