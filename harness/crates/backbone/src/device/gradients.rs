//! Gradients of what a request may train.

use std::collections::HashMap;

use candle_core::{DType, Result, Tensor, TensorId};

/// Sums of gradients by device tensor, in f32.
#[derive(Default)]
pub(super) struct Gradients {
    sums: HashMap<TensorId, Option<Tensor>>,
}

impl Gradients {
    /// Of the tensors whose gradient is wanted.
    pub(super) fn of<'t>(wanted: impl IntoIterator<Item = &'t Tensor>) -> Self {
        let sums = wanted.into_iter().map(|tensor| (tensor.id(), None));
        Self {
            sums: sums.collect(),
        }
    }

    /// Whether the gradient of a tensor is wanted.
    #[cfg(feature = "cuda")]
    pub(super) fn wants(&self, tensor: &Tensor) -> bool {
        self.sums.contains_key(&tensor.id())
    }

    /// Adds a gradient if it is wanted; computes it only then.
    pub(super) fn add(
        &mut self,
        tensor: &Tensor,
        gradient: impl FnOnce() -> Result<Tensor>,
    ) -> Result<()> {
        let Some(sum) = self.sums.get_mut(&tensor.id()) else {
            return Ok(());
        };
        let new = gradient()?.to_dtype(DType::F32)?;
        *sum = Some(match sum.take() {
            Some(sum) => (sum + new)?,
            None => new,
        });
        Ok(())
    }

    /// The sum for a tensor; none where nothing was added.
    pub(super) fn take(&mut self, tensor: &Tensor) -> Option<Tensor> {
        self.sums.remove(&tensor.id()).flatten()
    }
}
