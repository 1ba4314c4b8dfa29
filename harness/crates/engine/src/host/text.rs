//! Text requests of the boundary as prompts of the backbone.

use candle_core::{Device, Tensor, Var};
use harness_abi::{
    AbiError, AbiTensor, ErrorKind,
    wire::{self, Edit, TextRequest, Tower},
};
use harness_backbone::{PromptBatch, Segment, TextEdit, TokenRows};

use super::task::internal;

/// The tensors of a request, tracked when a tape was asked for.
pub(super) struct Inputs {
    tensors: Vec<Tensor>,
    vars: Vec<Var>,
}

impl Inputs {
    pub(super) fn read(tensors: &[AbiTensor], tape: bool) -> Result<Self, AbiError> {
        let mut inputs = Self {
            tensors: vec![],
            vars: vec![],
        };
        for (i, tensor) in tensors.iter().enumerate() {
            let shape = tensor
                .checked_shape()
                .map_err(|e| refuse(format!("tensor {i}: {e}")))?;
            if let Some(bad) = tensor.values.iter().find(|v| !v.is_finite()) {
                return Err(AbiError::new(
                    ErrorKind::Numeric,
                    format!("tensor {i} of the request holds {bad}"),
                ));
            }
            let read = Tensor::from_slice(&tensor.values, shape, &Device::Cpu);
            let read = read.map_err(internal)?;
            if tape {
                let var = Var::from_tensor(&read).map_err(internal)?;
                inputs.tensors.push(var.as_tensor().clone());
                inputs.vars.push(var);
            } else {
                inputs.tensors.push(read);
            }
        }
        Ok(inputs)
    }

    pub(super) fn into_vars(self) -> Vec<Var> {
        self.vars
    }

    fn get(&self, index: usize) -> Result<Tensor, AbiError> {
        self.tensors.get(index).cloned().ok_or_else(|| {
            refuse(format!(
                "tensor {index} is named, the request has {}",
                self.tensors.len()
            ))
        })
    }
}

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
    let edits = request.edits.iter().map(|edit| match edit {
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
        other => Err(not_offered(other)),
    });
    Ok(PromptBatch {
        groups: request.groups,
        classes: request.classes,
        segments: segments.collect::<Result<_, AbiError>>()?,
        edits: edits.collect::<Result<_, AbiError>>()?,
    })
}

/// The error for a site that the towers do not offer yet.
pub(super) fn not_offered(edit: &Edit) -> AbiError {
    let site = match edit {
        Edit::ReplaceTokens { tower, layer, .. } => format!("input of {tower:?} block {layer}"),
        Edit::AppendTokens { .. } => "image input".to_owned(),
        Edit::LowRank { tower, weight, .. } => format!("{tower:?} weight {weight}"),
        Edit::Bias { tower, name, .. } => format!("{tower:?} bias {name}"),
    };
    AbiError::new(
        ErrorKind::NotOffered,
        format!(
            "the site `{}` is not offered by this backbone",
            site.to_lowercase()
        ),
    )
}

pub(super) fn refuse(text: String) -> AbiError {
    AbiError::new(ErrorKind::Request, text)
}
