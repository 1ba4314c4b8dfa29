//! Rows of a task as pixels: picked images of a data set through the transform.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::Tensor;
use harness_abi::wire::Split as Part;
use harness_backbone::Backbone;
use harness_data::{Dataset, Split};

use super::error::JobError;
use crate::host::Pixels;

/// Bytes of decoded few-shot images that are kept from step to step.
const KEPT: usize = 256 << 20;

/// The images behind the rows of a task.
pub(super) struct SplitPixels {
    backbone: Arc<Backbone>,
    dataset: Arc<Dataset>,
    /// Images of the train and val splits that were drawn; the test split is whole.
    train: Vec<usize>,
    val: Vec<usize>,
    /// Few-shot images as the tower reads them; epochs come back to each.
    kept: Mutex<HashMap<(Part, u32), Tensor>>,
}

impl SplitPixels {
    pub(super) fn new(
        backbone: Arc<Backbone>,
        dataset: Arc<Dataset>,
        train: Vec<usize>,
        val: Vec<usize>,
    ) -> Self {
        Self {
            backbone,
            dataset,
            train,
            val,
            kept: Mutex::default(),
        }
    }

    fn image(&self, part: Part, row: u32) -> Result<Tensor, JobError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = kept().get(&(part, row)) {
            return Ok(pixels.clone());
        }
        let at = row as usize;
        let (split, index) = match part {
            Part::Train => (Split::Train, self.train.get(at).copied()),
            Part::Val => (Split::Val, self.val.get(at).copied()),
            Part::Test => (Split::Test, Some(at)),
        };
        let index = index.ok_or_else(|| JobError::Failed(format!("there is no row {row}")))?;
        let image = self.dataset.image(split, index)?;
        let pixels = self.backbone.transform().apply(&image)?;
        let mut kept = kept();
        if part != Part::Test && (kept.len() + 1) * pixels.elem_count() * 4 <= KEPT {
            kept.insert((part, row), pixels.clone());
        }
        Ok(pixels)
    }
}

impl Pixels for SplitPixels {
    fn pixels(&self, split: Part, rows: &[u32]) -> Result<Tensor, String> {
        let images = rows.iter().map(|&row| self.image(split, row));
        let images = images
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        Tensor::stack(&images, 0).map_err(|e| e.to_string())
    }
}
