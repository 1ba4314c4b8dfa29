//! What the text tower holds at the end token after each of its layers.

use candle_core::Tensor;

use super::assemble::Assembly;
use super::prompt::{PromptBatch, Segment, TokenRows};
use super::tower::{TextTower, at_ends};
use crate::error::Result;

impl TextTower {
    /// States at the end token of whole token rows, start and end token included: `[N, D]` after the
    /// embedding (positions added) and after each block, then the text features `[N, E]`; so
    /// `layers + 2` tensors.
    ///
    /// # Errors
    /// As [`Self::encode_ids`].
    pub fn trace_ids(&self, rows: &[Vec<u32>]) -> Result<Vec<Tensor>> {
        let batch = PromptBatch {
            groups: 1,
            classes: rows.len(),
            segments: vec![Segment::Tokens(TokenRows::PerClass(rows.to_vec()))],
            edits: Vec::new(),
        };
        let assembly = Assembly::of(&batch, &self.dims, self.end_token)?;
        let ends = assembly.ends();
        let tokens = self.embed_tokens(&assembly.tokens)?;
        let mut x = assembly.gather(tokens, &batch.segments)?;
        let length = x.dim(1)?;
        x = x.broadcast_add(&self.positions.narrow(0, 0, length)?)?;
        let mut states = vec![at_ends(&x, &ends)?];
        let mut last = states[0].clone();
        for block in &self.blocks {
            x = block.forward(&x, &self.attention)?;
            last = at_ends(&x, &ends)?;
            states.push(last.clone());
        }
        states.push(self.projection.forward(&self.ln_final.forward(&last)?)?);
        Ok(states)
    }
}
