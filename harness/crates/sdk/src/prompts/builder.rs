//! Prompts as segments in order, with edits at deeper sites.

use candle_core::Tensor;
use harness_abi::wire::{Segment, TextRequest, TokenRows, Tower};

use super::Edits;
use crate::{Host, Result, host};

/// A builder of G groups × C classes of prompts.
///
/// ```no_run
/// # use harness_sdk::{Host, Prompts, Result, Tensor};
/// # fn classifier(host: &Host, ctx: &Tensor, start: u32, names: &[Vec<u32>]) -> Result<Tensor> {
/// // `[SOS] ctx name . [EOT]`; `names` ends each class name in the end token.
/// let prompts = Prompts::new(host.classes())
///     .tokens(&[start])
///     .context(ctx)?
///     .class_tokens(names);
/// // One group of `[G, C, E]`.
/// Ok(prompts.encode(host)?.squeeze(0)?)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Prompts {
    groups: usize,
    classes: usize,
    segments: Vec<Segment>,
    /// Also holds the tensors of the contexts.
    edits: Edits,
}

impl Prompts {
    /// One group of `classes` empty prompts.
    pub fn new(classes: usize) -> Self {
        Self::grouped(1, classes)
    }

    /// `groups` × `classes` empty prompts, such as one per image and class.
    pub fn grouped(groups: usize, classes: usize) -> Self {
        Self {
            groups,
            classes,
            segments: vec![],
            edits: Edits::new(Tower::Text),
        }
    }

    /// Adds token ids shared by all prompts.
    #[must_use]
    pub fn tokens(mut self, ids: &[u32]) -> Self {
        let rows = TokenRows::Shared(ids.to_vec());
        self.segments.push(Segment::Tokens(rows));
        self
    }

    /// Adds token ids per class.
    #[must_use]
    pub fn class_tokens(mut self, rows: &[Vec<u32>]) -> Self {
        let rows = TokenRows::PerClass(rows.to_vec());
        self.segments.push(Segment::Tokens(rows));
        self
    }

    /// Adds context vectors: `[M, D]` shared, `[C, M, D]` per class, or
    /// `[G|1, C|1, M, D]`.
    ///
    /// # Errors
    /// Another number of dimensions.
    pub fn context(mut self, context: &Tensor) -> Result<Self> {
        let tensor = self.edits.push_tokens(context)?;
        self.segments.push(Segment::Context { tensor });
        Ok(self)
    }

    /// Replaces the tokens from position `start` at the input of text block `layer` by
    /// vectors of the same shapes as for [`context`](Self::context).
    ///
    /// # Errors
    /// Another number of dimensions.
    pub fn replace(mut self, layer: usize, start: usize, tokens: &Tensor) -> Result<Self> {
        self.edits = self.edits.replace(layer, start, tokens)?;
        Ok(self)
    }

    /// Adds edits of the text tower.
    #[must_use]
    pub fn with_edits(mut self, edits: &Edits) -> Self {
        self.edits = self.edits.merge(edits);
        self
    }

    /// Unnormalised text features `[G, C, E]`. Differentiable in every tensor.
    ///
    /// # Errors
    /// The prompts do not fit the text tower.
    pub fn encode(&self, host: &Host) -> Result<Tensor> {
        let request = TextRequest {
            groups: self.groups,
            classes: self.classes,
            segments: self.segments.clone(),
            edits: self.edits.list().to_vec(),
            tape: self.edits.is_tracked(),
        };
        let shape = [self.groups, self.classes, host.setting().backbone.embed_dim];
        host::encode_text(host.object(), &request, self.edits.tensors(), &shape)
    }
}
