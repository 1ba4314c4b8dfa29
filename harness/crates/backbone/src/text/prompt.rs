//! Prompts as segments, and edits inside the tower.

use candle_core::Tensor;

use crate::edits::WeightEdit;

/// `groups x classes` prompts, each the concatenation of the same list of segments.
///
/// The last segment holds tokens and every prompt ends in the end token. CoOp, for example, is
/// `[start] ctx[1, 1, M, D] "name ." [end]`.
#[derive(Debug, Clone)]
pub struct PromptBatch {
    /// Number of groups G, such as images whose prompts differ.
    pub groups: usize,
    /// Number of classes C.
    pub classes: usize,
    /// The parts of each prompt, in order.
    pub segments: Vec<Segment>,
    /// Changes inside the tower.
    pub edits: Vec<TextEdit>,
}

impl PromptBatch {
    /// One group of prompts without edits, a row of token ids each.
    pub(super) fn of_ids(rows: &[Vec<u32>]) -> Self {
        Self {
            groups: 1,
            classes: rows.len(),
            segments: vec![Segment::Tokens(TokenRows::PerClass(rows.to_vec()))],
            edits: Vec::new(),
        }
    }
}

/// A part of a prompt.
#[derive(Debug, Clone)]
pub enum Segment {
    /// Token ids, embedded by the tower.
    Tokens(TokenRows),
    /// Embeddings `[G|1, C|1, M, D]` that take the place of token embeddings.
    Context(Tensor),
}

/// Token ids of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRows {
    /// The same for every prompt.
    Shared(Vec<u32>),
    /// One row per class, of any lengths.
    PerClass(Vec<Vec<u32>>),
}

/// A change inside the text tower.
#[derive(Debug, Clone)]
pub enum TextEdit {
    /// Replaces positions `start .. start + n` at the input of block `layer`.
    ///
    /// At layer 0 this is the text input, before positions are added; at layer j > 0 the tokens enter
    /// the block as they are.
    ReplaceTokens {
        /// Index of the block, below the number of layers.
        layer: usize,
        /// First position that is replaced; 0 is the start token.
        start: usize,
        /// `[G|1, C|1, n, D]`.
        tokens: Tensor,
    },
    /// Changes a named parameter.
    Weight(WeightEdit),
}
