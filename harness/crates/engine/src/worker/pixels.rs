//! Rows of a task as pixels, for methods with sites in the image tower.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use candle_core::Tensor;
use harness_abi::wire::Split as Part;

use crate::images::{ImageSet, ImagesError};
use harness_host::boundary::Pixels;

/// Bytes of decoded few-shot images that are kept from step to step.
const KEPT: usize = 256 << 20;

/// The images behind the rows of a task.
pub(super) struct SplitPixels {
    /// The few-shot draws of the train and val splits, in training.
    drawn: Option<(ImageSet, ImageSet)>,
    test: ImageSet,
    /// Few-shot images as the tower reads them; epochs come back to each.
    kept: Mutex<HashMap<(Part, u32, u32), Tensor>>,
}

impl SplitPixels {
    pub(super) fn new(drawn: Option<(ImageSet, ImageSet)>, test: ImageSet) -> Self {
        Self {
            drawn,
            test,
            kept: Mutex::default(),
        }
    }

    fn image(&self, part: Part, row: u32, view: u32) -> Result<Tensor, ImagesError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = kept().get(&(part, row, view)) {
            return Ok(pixels.clone());
        }
        let set = match (part, &self.drawn) {
            (Part::Test, _) => &self.test,
            (Part::Train, Some((train, _))) => train,
            (Part::Val, Some((_, val))) => val,
            (_, None) => {
                return Err(ImagesError::Request(
                    "there are no few-shot images here".to_owned(),
                ));
            }
        };
        let pixels = set.image(row as usize, view)?;
        let mut kept = kept();
        if part != Part::Test && (kept.len() + 1) * pixels.elem_count() * 4 <= KEPT {
            kept.insert((part, row, view), pixels.clone());
        }
        Ok(pixels)
    }
}

impl Pixels for SplitPixels {
    fn pixels(&self, split: Part, rows: &[u32], view: u32) -> Result<Tensor, String> {
        let images = rows.iter().map(|&row| self.image(split, row, view));
        let images = images
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        Tensor::stack(&images, 0).map_err(|e| e.to_string())
    }
}
