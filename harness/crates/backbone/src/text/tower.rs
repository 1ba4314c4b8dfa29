//! From tokens or embeddings to text features.

use std::borrow::Cow;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::assemble::Assembly;
use super::edits::{bind, spread};
use super::engine::{self, LowerStates};
use super::prompt::{PromptBatch, TextEdit};
use super::work::{TextPath, TextWork};
use crate::block::Block;
use crate::device::{self, Accelerator};
use crate::dims::TextDims;
use crate::edits::Replacements;
use crate::engine::Pool;
use crate::error::{BackboneError, Result};
use crate::modules::{self, Module};
use crate::names::{self, Slot};
use crate::ops::{AttentionShape, LayerNorm, Linear};

/// A causal transformer that reads the end token. Differentiable in every context and edit and, where
/// they are tracked, in its weights.
///
/// Sequences are cut after the last end token of a batch; causality makes that exact.
#[derive(Debug, Clone)]
pub struct TextTower {
    pub(crate) dims: TextDims,
    pub(crate) end_token: u32,
    /// `[V, D]`.
    pub(crate) token_embedding: Tensor,
    /// `[context length, D]`.
    pub(crate) positions: Tensor,
    pub(crate) blocks: Vec<Block>,
    pub(crate) attention: AttentionShape,
    pub(crate) ln_final: LayerNorm,
    pub(crate) projection: Linear,
    /// Bytes that the engine keeps for the gradients of a request.
    pub(crate) activation_limit: usize,
    /// Buffers of the engine.
    pub(super) pool: Arc<Pool>,
    /// What left the blocks below everything that was trained last.
    pub(super) lower: Arc<LowerStates>,
    /// The device that the tower runs on, unless it is the CPU.
    pub(crate) accelerator: Option<Arc<Accelerator>>,
}

/// Bytes of activations that a tower keeps unless [`TextTower::with_activation_limit`] says otherwise.
pub const ACTIVATION_LIMIT: usize = 1 << 30;

impl TextTower {
    /// The tower's dimensions.
    pub fn dims(&self) -> &TextDims {
        &self.dims
    }

    /// The same tower with another limit on the bytes of activations that it keeps of a request than
    /// [`ACTIVATION_LIMIT`]. What is not kept is computed again when gradients are asked for, with the
    /// same bits.
    #[must_use]
    pub fn with_activation_limit(self, bytes: usize) -> Self {
        Self {
            activation_limit: bytes,
            ..self
        }
    }

    /// Whether a weight is trained.
    pub(crate) fn is_tracked(&self) -> bool {
        let own = [
            &self.token_embedding,
            &self.positions,
            &self.projection.weight,
        ];
        let norm = [&self.ln_final.weight, &self.ln_final.bias];
        own.into_iter().chain(norm).any(Tensor::track_op)
            || self.blocks.iter().any(Block::is_tracked)
    }

    /// The token that ends every prompt; features are read at its position.
    pub fn end_token(&self) -> u32 {
        self.end_token
    }

    /// Text features `[G, C, E]` of a prompt batch, not normalised.
    ///
    /// # Errors
    /// When a shape, id, length, layer or position does not fit the tower; the message says which.
    pub fn encode(&self, batch: &PromptBatch) -> Result<Tensor> {
        Ok(self.encode_with_work(batch)?.0)
    }

    /// As [`Self::encode`], and how it was computed.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_with_work(&self, batch: &PromptBatch) -> Result<(Tensor, TextWork)> {
        let (features, work) = self.encode_rows(batch)?;
        Ok((by_group(features, batch)?, work))
    }

    /// As [`Self::encode`], computed by candle's operations prompt by prompt, without sharing what
    /// prompts begin with. Slower; what the engine is compared with.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_reference(&self, batch: &PromptBatch) -> Result<Tensor> {
        let request = self.request(batch)?;
        by_group(request.by_reference(batch)?, batch)
    }

    /// Text features `[N, E]` of whole token rows, start and end token included, not padded.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_ids(&self, rows: &[Vec<u32>]) -> Result<Tensor> {
        Ok(self.encode_rows(&PromptBatch::of_ids(rows))?.0)
    }

    fn encode_rows(&self, batch: &PromptBatch) -> Result<(Tensor, TextWork)> {
        let request = self.request(batch)?;
        let sequences = engine::sequences_of_batch(batch, &request.assembly, &request.edits)?;
        let tokens = sequences.tokens();
        let work = |path| TextWork {
            path,
            tokens,
            computed: None,
            first_block: 0,
        };
        if let Some(accelerator) = &self.accelerator {
            let tower = &request.tower;
            let features = device::encode_text(self, tower, accelerator, sequences, batch.groups);
            return Ok((features?, work(TextPath::Device)));
        }
        match engine::encode(&request.tower, sequences)? {
            Some(done) => Ok(done),
            None => Ok((request.by_reference(batch)?, work(TextPath::Operations))),
        }
    }

    /// Checks a batch and its edits.
    fn request(&self, batch: &PromptBatch) -> Result<Request<'_>> {
        let assembly = Assembly::of(batch, &self.dims, self.end_token)?;
        let shortest = assembly.ends().iter().min().map_or(0, |end| end + 1);
        Ok(Request {
            edits: bind(batch, &self.dims, shortest)?,
            tower: self.edited(&batch.edits)?,
            assembly,
        })
    }

    /// The embeddings `[N, S, D]` of a batch, before positions are added, and the position of each
    /// end token.
    pub(super) fn embed(&self, batch: &PromptBatch) -> Result<(Tensor, Vec<usize>)> {
        let assembly = Assembly::of(batch, &self.dims, self.end_token)?;
        Ok((self.gather(&assembly, batch)?, assembly.ends()))
    }

    fn gather(&self, assembly: &Assembly, batch: &PromptBatch) -> Result<Tensor> {
        let tokens = self.embed_tokens(&assembly.tokens)?;
        assembly.gather(tokens, &batch.segments)
    }

    /// The tower with the edits of its parameters applied; all other weights are shared.
    fn edited(&self, edits: &[TextEdit]) -> Result<Cow<'_, Self>> {
        let mut tower = Cow::Borrowed(self);
        for edit in edits {
            if let TextEdit::Weight(edit) = edit {
                edit.apply("text", tower.to_mut().slot(edit.name()))?;
            }
        }
        Ok(tower)
    }

    /// The value of a bias or gain by its canonical name.
    ///
    /// # Errors
    /// When the tower has none of this name.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        modules::read("text", name, &self.blocks, |module| match module {
            "ln_final" => Some(Module::Norm(&self.ln_final)),
            _ => None,
        })
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_>> {
        let ln_final = &mut self.ln_final;
        names::slot(&mut self.blocks, name, |module, kind| match module {
            "ln_final" => names::norm(ln_final, kind),
            _ => None,
        })
    }

    /// Rows `[n, D]` of the token embedding.
    ///
    /// # Errors
    /// When there is no id, or an id lies outside the vocabulary.
    pub fn embed_tokens(&self, ids: &[u32]) -> Result<Tensor> {
        let vocabulary = self.dims.vocab_size;
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocabulary) {
            return Err(BackboneError::Request(format!(
                "token id {id}, but the vocabulary has {vocabulary} tokens"
            )));
        }
        if ids.is_empty() {
            return Err(BackboneError::Request("no token to embed".into()));
        }
        let index = Tensor::from_slice(ids, ids.len(), &Device::Cpu)?;
        Ok(self.token_embedding.index_select(&index, 0)?)
    }

    /// Text features `[N, E]` of embeddings `[N, S, D]`, given before positions are added, each row
    /// read at its position in `ends`.
    ///
    /// # Errors
    /// When shapes do not fit, or an end lies outside the sequence.
    pub fn encode_embeddings(&self, x: &Tensor, ends: &[usize]) -> Result<Tensor> {
        let (longest, width) = (self.dims.context_length, self.dims.width);
        let refuse = |reason: String| Err(BackboneError::Request(format!("embeddings: {reason}")));
        let &[rows, length, columns] = x.dims() else {
            return refuse(format!(
                "expected [prompts, tokens, {width}], found {:?}",
                x.dims()
            ));
        };
        if rows == 0 || length == 0 || length > longest || columns != width {
            return refuse(format!(
                "expected [prompts, 1 to {longest} tokens, {width}], found {:?}",
                x.dims()
            ));
        }
        if x.dtype() != DType::F32 {
            return refuse(format!("expected f32, found {:?}", x.dtype()));
        }
        if ends.len() != rows {
            return refuse(format!("{rows} prompts, but {} end positions", ends.len()));
        }
        if let Some(end) = ends.iter().find(|end| **end >= length) {
            return refuse(format!("end position {end} of {length} tokens"));
        }
        let sequences = engine::sequences_of_embeddings(x, ends)?;
        if let Some(accelerator) = &self.accelerator {
            return device::encode_text(self, self, accelerator, sequences, 1);
        }
        if let Some((features, _)) = engine::encode(self, sequences)? {
            return Ok(features);
        }
        let kept = ends.iter().max().map_or(length, |end| end + 1);
        self.run(x.narrow(1, 0, kept)?, ends, &Replacements::default())
    }

    /// Positions, blocks with edits, pooling, projection: `[N, S, D] -> [N, E]`.
    fn run(&self, x: Tensor, ends: &[usize], edits: &Replacements) -> Result<Tensor> {
        let x = self.run_blocks(x, edits, |_| Ok(()))?;
        self.project(&at_ends(&x, ends)?)
    }

    /// Positions and blocks with edits, `[N, S, D] -> [N, S, D]`; `observe` sees the sequence before
    /// the first block and after each.
    pub(super) fn run_blocks(
        &self,
        x: Tensor,
        edits: &Replacements,
        mut observe: impl FnMut(&Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let length = x.dim(1)?;
        let mut x = edits.apply(0, x)?;
        x = x.broadcast_add(&self.positions.narrow(0, 0, length)?)?;
        observe(&x)?;
        for (layer, block) in self.blocks.iter().enumerate() {
            if layer > 0 {
                x = edits.apply(layer, x)?;
            }
            x = block.forward(&x, &self.attention)?;
            observe(&x)?;
        }
        Ok(x)
    }

    /// States at the end token to features: `[N, D] -> [N, E]`.
    pub(super) fn project(&self, pooled: &Tensor) -> Result<Tensor> {
        Ok(self.projection.forward(&self.ln_final.forward(pooled)?)?)
    }
}

/// A batch that fits the tower.
struct Request<'a> {
    assembly: Assembly,
    edits: Replacements,
    /// With the edits of weights.
    tower: Cow<'a, TextTower>,
}

impl Request<'_> {
    /// Features `[N, E]` by candle's operations.
    fn by_reference(self, batch: &PromptBatch) -> Result<Tensor> {
        let edits = spread(self.edits, batch, self.tower.dims.width)?;
        let x = self.tower.gather(&self.assembly, batch)?;
        self.tower.run(x, &self.assembly.ends(), &edits)
    }
}

/// `[G C, E]` to `[G, C, E]`.
fn by_group(features: Tensor, batch: &PromptBatch) -> Result<Tensor> {
    let embed = features.dim(1)?;
    Ok(features.reshape((batch.groups, batch.classes, embed))?)
}

/// One position of each row: `[N, S, D] -> [N, D]`.
pub(super) fn at_ends(x: &Tensor, ends: &[usize]) -> Result<Tensor> {
    let (rows, length, width) = x.dims3()?;
    let at = ends
        .iter()
        .enumerate()
        .map(|(n, end)| (n * length + end) as u32);
    let index = Tensor::from_iter(at, &Device::Cpu)?;
    Ok(x.reshape((rows * length, width))?.index_select(&index, 0)?)
}
