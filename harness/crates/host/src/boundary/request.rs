//! What requests for either tower have in common.

use candle_core::{Device, Tensor, Var};
use harness_abi::{
    AbiError, AbiTensor, ErrorKind,
    wire::{self, Edit, Tower},
};
use harness_backbone::{BackboneError, BiasMode, Dropout, WeightEdit};

use super::task::internal;

/// The tensors of a request, tracked when a tape was asked for.
#[derive(Clone)]
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

    pub(super) fn get(&self, index: usize) -> Result<Tensor, AbiError> {
        self.tensors.get(index).cloned().ok_or_else(|| {
            refuse(format!(
                "tensor {index} does not exist; the request has {}",
                self.tensors.len()
            ))
        })
    }

    /// The edit of a named parameter of `tower`; none if it is one of tokens.
    pub(super) fn weight_edit(
        &self,
        edit: &Edit,
        tower: Tower,
    ) -> Result<Option<WeightEdit>, AbiError> {
        match edit {
            Edit::LowRank {
                tower: of,
                weight,
                a,
                b,
                scale,
                dropout,
            } if *of == tower => Ok(Some(WeightEdit::LowRank {
                weight: weight.clone(),
                a: self.get(*a)?,
                b: self.get(*b)?,
                scale: *scale,
                dropout: dropout.map(|d| Dropout {
                    rate: d.rate,
                    seed: d.seed,
                }),
            })),
            Edit::Bias {
                tower: of,
                name,
                mode,
                tensor,
            } if *of == tower => Ok(Some(WeightEdit::Bias {
                name: name.clone(),
                mode: match mode {
                    wire::BiasMode::Replace => BiasMode::Replace,
                    wire::BiasMode::Delta => BiasMode::Delta,
                },
                value: self.get(*tensor)?,
            })),
            Edit::LowRank { .. } | Edit::Bias { .. } => Err(elsewhere(edit)),
            Edit::ReplaceTokens { .. } | Edit::AppendTokens { .. } => Ok(None),
        }
    }
}

/// The error for an edit of the other tower.
pub(super) fn elsewhere(edit: &Edit) -> AbiError {
    let site = match edit {
        Edit::ReplaceTokens { tower, layer, .. } => format!("the {tower:?} block {layer}"),
        Edit::AppendTokens { .. } => "the image input".to_owned(),
        Edit::LowRank { tower, weight, .. } => format!("the {tower:?} weight {weight}"),
        Edit::Bias { tower, name, .. } => format!("the {tower:?} parameter {name}"),
    };
    refuse(format!(
        "an edit of {} in a request for the other tower",
        site.to_lowercase()
    ))
}

/// A backbone's refusal as it crosses.
pub(super) fn refused(error: BackboneError) -> AbiError {
    let kind = match error {
        BackboneError::NotOffered(_) => ErrorKind::NotOffered,
        _ => ErrorKind::Request,
    };
    AbiError::new(kind, error.to_string())
}

pub(super) fn refuse(text: String) -> AbiError {
    AbiError::new(ErrorKind::Request, text)
}
