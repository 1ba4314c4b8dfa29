//! Checking edits against a batch of prompts.

use candle_core::{DType, Tensor};

use super::prompt::{PromptBatch, TextEdit};
use crate::dims::TextDims;
use crate::edits::{Replacement, Replacements};
use crate::error::{BackboneError, Result};

/// Checks the token edits of a batch whose shortest prompt has `shortest` tokens; their tokens are
/// `[G|1, C|1, n, D]`.
pub(crate) fn bind(batch: &PromptBatch, dims: &TextDims, shortest: usize) -> Result<Replacements> {
    let mut bound = Replacements::default();
    for edit in &batch.edits {
        let TextEdit::ReplaceTokens {
            layer,
            start,
            tokens,
        } = edit
        else {
            continue;
        };
        let (layer, start) = (*layer, *start);
        let what = format!("replacement at block {layer}");
        let length = check_leading(&what, tokens, batch, dims.width)?;
        let refuse = |reason: String| Err(BackboneError::Request(format!("{what}: {reason}")));
        if layer >= dims.layers {
            return refuse(format!(
                "the text tower has blocks 0..{}, found {layer}",
                dims.layers
            ));
        }
        let end = start.saturating_add(length);
        if end >= shortest {
            return refuse(format!(
                "positions {start}..{end} reach the end token of the shortest prompt, which has \
                 {shortest} tokens"
            ));
        }
        bound.push(Replacement {
            layer,
            start,
            length,
            tokens: tokens.clone(),
        })?;
    }
    Ok(bound)
}

/// Checks `[G|1, C|1, n, width]` and returns n.
pub(crate) fn check_leading(
    what: &str,
    tensor: &Tensor,
    batch: &PromptBatch,
    width: usize,
) -> Result<usize> {
    let (groups, classes) = (batch.groups, batch.classes);
    let dims = tensor.dims();
    let fits = match dims {
        &[g, c, n, d] => (g == 1 || g == groups) && (c == 1 || c == classes) && n > 0 && d == width,
        _ => false,
    };
    if !fits {
        return Err(BackboneError::Request(format!(
            "{what}: expected [{groups} or 1, {classes} or 1, tokens, {width}], found {dims:?}"
        )));
    }
    if tensor.dtype() != DType::F32 || !tensor.device().is_cpu() {
        return Err(BackboneError::Request(format!(
            "{what}: expected f32 on the CPU, found {:?} on {:?}",
            tensor.dtype(),
            tensor.device()
        )));
    }
    Ok(dims[2])
}

/// Broadcasts tokens `[G|1, C|1, n, D]` to one row per prompt, `[G C, n, D]`.
pub(crate) fn spread(
    replacements: Replacements,
    batch: &PromptBatch,
    width: usize,
) -> Result<Replacements> {
    let (groups, classes) = (batch.groups, batch.classes);
    replacements.map(|r| {
        let length = r.length;
        Ok(r.tokens
            .broadcast_as((groups, classes, length, width))?
            .reshape((groups * classes, length, width))?)
    })
}
