//! Text requests of the boundary as prompts of the backbone.

use harness_abi::{
    AbiError,
    wire::{self, Edit, TextRequest, Tower},
};
use harness_backbone::{PromptBatch, Segment, TextEdit, TokenRows};

use super::request::{Inputs, elsewhere, refuse};

/// Most prompts of one request: more than any memory holds, less than overflows.
const MOST_PROMPTS: usize = 1 << 24;

/// The prompts of a request; the backbone checks shapes and ids.
pub(super) fn prompts(request: &TextRequest, inputs: &Inputs) -> Result<PromptBatch, AbiError> {
    match request.groups.checked_mul(request.classes) {
        Some(count) if count <= MOST_PROMPTS => {}
        _ => {
            return Err(refuse(format!(
                "{} groups of {} prompts are more than {MOST_PROMPTS} prompts",
                request.groups, request.classes
            )));
        }
    }
    let segments = request.segments.iter().map(|segment| match segment {
        wire::Segment::Tokens(rows) => Ok(Segment::Tokens(match rows {
            wire::TokenRows::Shared(ids) => TokenRows::Shared(ids.clone()),
            wire::TokenRows::PerClass(rows) => TokenRows::PerClass(rows.clone()),
        })),
        wire::Segment::Context { tensor } => Ok(Segment::Context(inputs.get(*tensor)?)),
    });
    let edits = request.edits.iter().map(|edit| {
        if let Some(edit) = inputs.weight_edit(edit, Tower::Text)? {
            return Ok(TextEdit::Weight(edit));
        }
        match edit {
            Edit::ReplaceTokens {
                tower: Tower::Text,
                layer,
                start,
                tensor,
            } => Ok(TextEdit::ReplaceTokens {
                layer: *layer,
                start: *start,
                tokens: inputs.get(*tensor)?,
            }),
            other => Err(elsewhere(other)),
        }
    });
    Ok(PromptBatch {
        groups: request.groups,
        classes: request.classes,
        segments: segments.collect::<Result<_, AbiError>>()?,
        edits: edits.collect::<Result<_, AbiError>>()?,
    })
}
