//! A batch of images.

use candle_core::Tensor;
use harness_abi::wire::Split;

use crate::{Error, Host, Result};

/// Images of a split; with labels, except for the test split.
#[derive(Clone, Debug)]
pub struct Batch {
    split: Split,
    rows: Vec<u32>,
    view: u32,
    labels: Option<Tensor>,
    /// `[B, E]` from [`Method::images`](crate::Method::images), once it has run.
    images: Option<Tensor>,
}

impl Batch {
    pub(crate) fn new(split: Split, rows: Vec<u32>, labels: Option<Tensor>) -> Self {
        Self {
            split,
            rows,
            view: 0,
            labels,
            images: None,
        }
    }

    /// The same images in another view.
    pub(crate) fn in_view(self, view: u32) -> Self {
        Self { view, ..self }
    }

    pub(super) fn with_images(self, images: Tensor) -> Self {
        Self {
            images: Some(images),
            ..self
        }
    }

    /// The augmented view; epochs alternate between the views.
    pub fn view(&self) -> u32 {
        self.view
    }

    /// The split.
    pub fn split(&self) -> Split {
        self.split
    }

    /// Indices of the images in the split.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Class indices `[B]` (u32).
    ///
    /// # Errors
    /// The test split, whose labels are never disclosed.
    pub fn labels(&self) -> Result<&Tensor> {
        self.labels
            .as_ref()
            .ok_or_else(|| Error::Config("the labels of the test split are not disclosed".into()))
    }

    /// Unnormalised image features `[B, E]` from [`Method::images`](crate::Method::images);
    /// inside it and before it has run, from the frozen image tower.
    ///
    /// # Errors
    /// The host cannot compute them.
    pub fn features(&self, host: &Host) -> Result<Tensor> {
        match &self.images {
            Some(images) => Ok(images.clone()),
            None => self.frozen_features(host),
        }
    }

    /// Unnormalised image features `[B, E]` from the frozen image tower.
    ///
    /// # Errors
    /// The host cannot compute them.
    pub fn frozen_features(&self, host: &Host) -> Result<Tensor> {
        host.image_features_in_view(self.split, &self.rows, self.view)
    }
}
