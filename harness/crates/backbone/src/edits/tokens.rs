//! Replacing tokens between blocks.

use candle_core::Tensor;

use crate::error::{BackboneError, Result};

/// Replacements that fit a tower and do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Replacements(Vec<Replacement>);

/// Tokens that take places `start .. start + length` at the input of a block.
#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    pub(crate) layer: usize,
    pub(crate) start: usize,
    pub(crate) length: usize,
    /// `[N, n, D]`; of a text batch `[G|1, C|1, n, D]` until it is spread.
    pub(crate) tokens: Tensor,
}

impl Replacements {
    /// Adds one; refused where it overlaps another of the same block.
    pub(crate) fn push(&mut self, new: Replacement) -> Result<()> {
        let end = new.start + new.length;
        let overlaps = |r: &&Replacement| {
            r.layer == new.layer && new.start < r.start + r.length && r.start < end
        };
        if let Some(other) = self.0.iter().find(overlaps) {
            return Err(BackboneError::Request(format!(
                "replacement at block {}: positions {}..{end} overlap another replacement at {}..{}",
                new.layer,
                new.start,
                other.start,
                other.start + other.length
            )));
        }
        self.0.push(new);
        Ok(())
    }

    pub(crate) fn list(&self) -> &[Replacement] {
        &self.0
    }

    /// The same replacements with other tokens.
    pub(crate) fn map(self, f: impl Fn(&Replacement) -> Result<Tensor>) -> Result<Self> {
        let changed = self.0.into_iter().map(|r| {
            let tokens = f(&r)?;
            Ok(Replacement { tokens, ..r })
        });
        changed.collect::<Result<_>>().map(Self)
    }

    /// Applies the replacements of one block to its input `[N, S, D]`.
    pub(crate) fn apply(&self, layer: usize, mut x: Tensor) -> Result<Tensor> {
        for edit in self.0.iter().filter(|e| e.layer == layer) {
            let after = edit.start + edit.length;
            let rest = x.dim(1)? - after;
            let mut parts = Vec::with_capacity(3);
            if edit.start > 0 {
                parts.push(x.narrow(1, 0, edit.start)?);
            }
            parts.push(edit.tokens.clone());
            if rest > 0 {
                parts.push(x.narrow(1, after, rest)?);
            }
            x = Tensor::cat(&parts, 1)?;
        }
        Ok(x)
    }
}
