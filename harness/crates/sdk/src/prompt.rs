//! Prompts as a method writes them: segments in order, edits at deeper sites.

use candle_core::Tensor;
use harness_abi::wire::{Segment, TextRequest, TokenRows, Tower};

use crate::{Bench, Edits, Result, bridge};

/// G groups × C classes of prompts under construction.
#[derive(Clone, Debug)]
pub struct Prompts {
    groups: usize,
    classes: usize,
    segments: Vec<Segment>,
    /// Holds the contexts' tensors too.
    edits: Edits,
}

impl Prompts {
    /// One group of `classes` prompts, empty so far.
    pub fn new(classes: usize) -> Self {
        Self::grouped(1, classes)
    }

    /// `groups` × `classes` prompts: a prompt per image and class, say.
    pub fn grouped(groups: usize, classes: usize) -> Self {
        Self {
            groups,
            classes,
            segments: vec![],
            edits: Edits::of(Tower::Text),
        }
    }

    /// Adds token ids that all prompts share.
    pub fn tokens(mut self, ids: &[u32]) -> Self {
        let rows = TokenRows::Shared(ids.to_vec());
        self.segments.push(Segment::Tokens(rows));
        self
    }

    /// Adds token ids of each class.
    pub fn class_tokens(mut self, rows: &[Vec<u32>]) -> Self {
        let rows = TokenRows::PerClass(rows.to_vec());
        self.segments.push(Segment::Tokens(rows));
        self
    }

    /// Adds context vectors: `[M, D]` shared, `[C, M, D]` per class, or
    /// `[G|1, C|1, M, D]`.
    pub fn context(mut self, context: &Tensor) -> Result<Self> {
        let tensor = self.edits.tokens(context)?;
        self.segments.push(Segment::Context { tensor });
        Ok(self)
    }

    /// Replaces the tokens from `start` on at the input of text block `layer`, by
    /// vectors of the same shapes as in [`context`](Self::context).
    pub fn replace(mut self, layer: usize, start: usize, tokens: &Tensor) -> Result<Self> {
        self.edits = self.edits.replace(layer, start, tokens)?;
        Ok(self)
    }

    /// Adds edits of the text tower.
    pub fn edited(mut self, edits: &Edits) -> Self {
        self.edits = self.edits.and(edits);
        self
    }

    /// Text features `[G, C, E]`, unnormalised. Differentiable in every tensor.
    pub fn encode(&self, bench: &Bench) -> Result<Tensor> {
        let request = TextRequest {
            groups: self.groups,
            classes: self.classes,
            segments: self.segments.clone(),
            edits: self.edits.entries().to_vec(),
            tape: self.edits.tensors().iter().any(Tensor::track_op),
        };
        let shape = [
            self.groups,
            self.classes,
            bench.setting().backbone.embed_dim,
        ];
        bridge::encode_text(bench, &request, self.edits.tensors(), &shape)
    }
}
