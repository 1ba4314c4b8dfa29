//! The states of the text tower at the end token after each of its layers.

use candle_core::Tensor;

use super::prompt::PromptBatch;
use super::tower::{TextTower, at_ends};
use crate::edits::Replacements;
use crate::error::Result;

impl TextTower {
    /// States at the end token of whole token rows, start and end token included: `[N, D]` after the
    /// embedding (positions added) and after each block, then the text features `[N, E]`; so
    /// `layers + 2` tensors.
    ///
    /// # Errors
    /// As [`Self::encode_ids`].
    pub fn trace_ids(&self, rows: &[Vec<u32>]) -> Result<Vec<Tensor>> {
        let (x, ends) = self.embed(&PromptBatch::of_ids(rows))?;
        let mut states = Vec::with_capacity(self.dims.layers + 2);
        let last = self.run_blocks(x, &Replacements::default(), |x| {
            states.push(at_ends(x, &ends)?);
            Ok(())
        })?;
        states.push(self.project(&at_ends(&last, &ends)?)?);
        Ok(states)
    }
}
