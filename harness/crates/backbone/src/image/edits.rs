//! Checking edits against a batch of images.

use candle_core::{DType, Tensor};

use crate::dims::ImageDims;
use crate::edits::{Replacement, Replacements, WeightEdit};
use crate::error::{BackboneError, Result};

/// A change inside the image tower.
#[derive(Debug, Clone)]
pub enum ImageEdit {
    /// Appends tokens `[B|1, n, D]` after the patches, once positions are added and before `ln_pre`
    /// where the tower has one. They have no place in the grid, so RoPE leaves them as they are.
    AppendTokens(Tensor),
    /// Replaces tokens at the input of block `layer`, counted from the end of the sequence.
    ///
    /// At layer 0 this is the image input, before `ln_pre`.
    ReplaceTokens {
        /// Index of the block, below the number of layers.
        layer: usize,
        /// Places before the end at which the replacement starts; n for the last n tokens.
        from_end: usize,
        /// `[B|1, n, D]`.
        tokens: Tensor,
    },
    /// Changes a named parameter.
    Weight(WeightEdit),
}

/// Token edits, spread over all images.
#[derive(Debug, Default)]
pub(crate) struct TokenEdits {
    /// `[B, n, D]` each.
    appended: Vec<Tensor>,
    replaced: Replacements,
}

impl TokenEdits {
    /// Checks the token edits for a batch of images.
    pub(crate) fn bind(edits: &[ImageEdit], images: usize, dims: &ImageDims) -> Result<Self> {
        let mut bound = Self::default();
        let mut length = 1 + dims.patches;
        for edit in edits {
            if let ImageEdit::AppendTokens(tokens) = edit {
                let tokens = spread("appended tokens", tokens, images, dims.width)?;
                length += tokens.dim(1)?;
                bound.appended.push(tokens);
            }
        }
        for edit in edits {
            let ImageEdit::ReplaceTokens {
                layer,
                from_end,
                tokens,
            } = edit
            else {
                continue;
            };
            let what = format!("replacement at image block {layer}");
            let tokens = spread(&what, tokens, images, dims.width)?;
            let count = tokens.dim(1)?;
            let refuse = |reason: String| Err(BackboneError::Request(format!("{what}: {reason}")));
            if *layer >= dims.layers {
                let layers = dims.layers;
                return refuse(format!(
                    "the image tower has blocks 0..{layers}, found {layer}"
                ));
            }
            if *from_end < count || *from_end >= length {
                return refuse(format!(
                    "{count} tokens that start {from_end} before the end do not fit between the \
                     class token and the end of {length} tokens"
                ));
            }
            bound.replaced.push(Replacement {
                layer: *layer,
                start: length - from_end,
                length: count,
                tokens,
            })?;
        }
        Ok(bound)
    }

    /// The edits of some of the images.
    pub(crate) fn narrow(&self, start: usize, images: usize) -> Result<Self> {
        let appended = self.appended.iter();
        let mut part = Self {
            appended: appended
                .map(|tokens| tokens.narrow(0, start, images))
                .collect::<Result<_, _>>()?,
            replaced: Replacements::default(),
        };
        for edit in self.replaced.list() {
            part.replaced.push(Replacement {
                tokens: edit.tokens.narrow(0, start, images)?,
                ..edit.clone()
            })?;
        }
        Ok(part)
    }

    /// Tokens `[B, n, D]` that are appended to the images, in order.
    pub(crate) fn appended(&self) -> &[Tensor] {
        &self.appended
    }

    /// Replacements at the inputs of blocks.
    pub(crate) fn replaced(&self) -> &[Replacement] {
        self.replaced.list()
    }

    /// Appends to the tokens of the images, `[B, 1 + P, D]`.
    pub(crate) fn append(&self, x: Tensor) -> Result<Tensor> {
        if self.appended.is_empty() {
            return Ok(x);
        }
        let mut parts = vec![x];
        parts.extend(self.appended.iter().cloned());
        Ok(Tensor::cat(&parts, 1)?)
    }

    /// Applies the replacements of one block to its input.
    pub(crate) fn replace(&self, layer: usize, x: Tensor) -> Result<Tensor> {
        self.replaced.apply(layer, x)
    }
}

/// Checks `[B|1, n, D]` and broadcasts it to `[B, n, D]`.
fn spread(what: &str, tokens: &Tensor, images: usize, width: usize) -> Result<Tensor> {
    match *tokens.dims() {
        [b, n, d] if (b == 1 || b == images) && n > 0 && d == width => {
            if tokens.dtype() != DType::F32 {
                let found = tokens.dtype();
                return Err(BackboneError::Request(format!(
                    "{what}: expected f32, found {found:?}"
                )));
            }
            Ok(tokens.broadcast_as((images, n, width))?.contiguous()?)
        }
        _ => Err(BackboneError::Request(format!(
            "{what}: expected [{images} or 1, tokens, {width}], found {:?}",
            tokens.dims()
        ))),
    }
}
