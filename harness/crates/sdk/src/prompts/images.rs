//! Images through the edited image tower.

use candle_core::Tensor;
use harness_abi::wire::{ImageRequest, Tower};

use crate::{Batch, Edits, Error, Host, Result, host};

impl Host {
    /// Unnormalised image features `[B, E]` of a batch through the edited image tower.
    /// Differentiable in every tensor of the edits.
    ///
    /// # Errors
    /// The edits are for the text tower or do not fit the image tower.
    pub fn encode_image(&self, batch: &Batch, edits: &Edits) -> Result<Tensor> {
        if edits.tower() != Tower::Image {
            return Err(Error::Config(
                "edits of the text tower cannot change images".into(),
            ));
        }
        let request = ImageRequest {
            split: batch.split(),
            rows: batch.rows().to_vec(),
            view: batch.view(),
            edits: edits.list().to_vec(),
            tape: edits.is_tracked(),
        };
        let shape = [batch.rows().len(), self.setting().backbone.embed_dim];
        host::encode_image(self.object(), &request, edits.tensors(), &shape)
    }
}
