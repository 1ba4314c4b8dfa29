//! Changes of weights, biases and gains by their canonical names.

use candle_core::{DType, Tensor};

use crate::error::{BackboneError, Result};
use crate::names::{Slot, unknown};
use crate::ops::{Dropout, LowRank};

/// A change of one named parameter of a tower.
#[derive(Debug, Clone)]
pub enum WeightEdit {
    /// Adds `scale * B A` to the weight of a linear map.
    LowRank {
        /// Canonical name, such as `blocks.3.attn.q.weight`.
        weight: String,
        /// `[r, in]`.
        a: Tensor,
        /// `[out, r]`.
        b: Tensor,
        /// Factor of the product.
        scale: f32,
        /// Dropout of the input of A.
        dropout: Option<Dropout>,
    },
    /// Changes a bias or gain.
    Bias {
        /// Canonical name, such as `blocks.3.mlp.proj.bias` or `ln_post.weight`.
        name: String,
        /// Whether the value takes the place of the tower's own or is added to it.
        mode: BiasMode,
        /// `[n]`.
        value: Tensor,
    },
}

/// What becomes of the tower's own value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BiasMode {
    /// It is replaced.
    Replace,
    /// The edit is added to it.
    Delta,
}

impl WeightEdit {
    /// The canonical name of what changes.
    pub fn name(&self) -> &str {
        match self {
            Self::LowRank { weight, .. } => weight,
            Self::Bias { name, .. } => name,
        }
    }

    /// Writes the change into its place, `none` where the tower has no such parameter.
    pub(crate) fn apply(&self, tower: &str, slot: Option<Slot<'_>>) -> Result<()> {
        let what = format!("edit of {tower} parameter {}", self.name());
        let refuse = |reason: String| Err(BackboneError::Request(format!("{what}: {reason}")));
        match (self, slot) {
            (_, None) => Err(unknown(tower, self.name())),
            (
                Self::LowRank {
                    a,
                    b,
                    scale,
                    dropout,
                    ..
                },
                Some(Slot::Map(place, [outer, inner])),
            ) => {
                let rank = a.dims().first().copied().unwrap_or(0);
                check(&what, a, &[rank, inner])?;
                check(&what, b, &[outer, rank])?;
                if rank == 0 || !scale.is_finite() {
                    return refuse(format!("rank {rank} and scale {scale} change nothing"));
                }
                if let Some(d) = dropout
                    && !(0.0..1.0).contains(&d.rate)
                {
                    return refuse(format!("dropout must lie in [0, 1), found {}", d.rate));
                }
                if place.is_some() {
                    return refuse("the weight is changed twice".into());
                }
                *place = Some(LowRank {
                    a: a.clone(),
                    b: b.clone(),
                    scale: *scale,
                    dropout: *dropout,
                });
                Ok(())
            }
            (Self::Bias { mode, value, .. }, Some(Slot::Vector(own))) => {
                check(&what, value, own.dims())?;
                *own = changed(own, value, *mode)?;
                Ok(())
            }
            (Self::Bias { mode, value, .. }, Some(Slot::Third(packed, part))) => {
                let width = packed.elem_count() / 3;
                check(&what, value, &[width])?;
                let mut parts = Vec::with_capacity(3);
                for third in 0..3 {
                    let own = packed.narrow(0, third * width, width)?;
                    parts.push(match third == part {
                        true => changed(&own, value, *mode)?,
                        false => own,
                    });
                }
                *packed = Tensor::cat(&parts, 0)?;
                Ok(())
            }
            (Self::LowRank { .. }, Some(_)) => {
                refuse("a low-rank change needs the weight of a linear map".into())
            }
            (Self::Bias { .. }, Some(Slot::Map(..))) => {
                refuse("expected a bias or a gain, found the weight of a linear map".into())
            }
        }
    }
}

fn changed(own: &Tensor, value: &Tensor, mode: BiasMode) -> Result<Tensor> {
    match mode {
        BiasMode::Replace => Ok(value.contiguous()?),
        BiasMode::Delta => Ok((own + value)?),
    }
}

fn check(what: &str, tensor: &Tensor, shape: &[usize]) -> Result<()> {
    if tensor.dims() != shape || tensor.dtype() != DType::F32 {
        return Err(BackboneError::Request(format!(
            "{what}: expected f32 {shape:?}, found {:?} {:?}",
            tensor.dtype(),
            tensor.dims()
        )));
    }
    Ok(())
}
