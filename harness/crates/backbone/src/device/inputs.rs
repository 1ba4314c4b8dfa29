//! What a request brings along: rows of tokens and changed parameters, as one flat tensor.

use std::collections::HashMap;
use std::ops::Range;

use candle_core::{DType, Result, Tensor, TensorId};

use super::accelerator::Accelerator;
use super::gradients::Gradients;
use crate::block::{Block, Mlp, Packing};
use crate::ops::{LayerNorm, Linear, LowRank};

/// Tensors of a request by their place in the flat tensor.
#[derive(Default)]
pub(super) struct Inputs {
    places: HashMap<TensorId, Place>,
    flat: Vec<Tensor>,
    length: usize,
}

/// Part of the flat tensor.
#[derive(Clone)]
struct Place {
    range: Range<usize>,
    shape: Vec<usize>,
    is_tracked: bool,
}

impl Inputs {
    /// Adds a tensor once.
    pub(super) fn push(&mut self, tensor: &Tensor) -> Result<()> {
        if self.places.contains_key(&tensor.id()) {
            return Ok(());
        }
        let range = self.length..self.length + tensor.elem_count();
        self.length = range.end;
        self.flat.push(tensor.flatten_all()?);
        let place = Place {
            range,
            shape: tensor.dims().to_vec(),
            is_tracked: tensor.track_op(),
        };
        self.places.insert(tensor.id(), place);
        Ok(())
    }

    /// Adds the tensors of an edited block that are not those of the tower's own.
    pub(super) fn push_changes(&mut self, own: &Block, edited: &Block) -> Result<()> {
        let own: std::collections::HashSet<TensorId> =
            own.tensors().into_iter().map(Tensor::id).collect();
        for tensor in edited.tensors() {
            if !own.contains(&tensor.id()) {
                self.push(tensor)?;
            }
        }
        Ok(())
    }

    /// Adds the gain and bias of a norm where they are not the tower's own.
    pub(super) fn push_norm(&mut self, own: &LayerNorm, edited: &LayerNorm) -> Result<()> {
        for (own, edited) in [(&own.weight, &edited.weight), (&own.bias, &edited.bias)] {
            if own.id() != edited.id() {
                self.push(edited)?;
            }
        }
        Ok(())
    }

    /// All tensors, one after the other; none if there is none.
    pub(super) fn flat(&self) -> Result<Option<Tensor>> {
        match self.flat.is_empty() {
            true => Ok(None),
            false => Tensor::cat(&self.flat, 0).map(Some),
        }
    }

    /// The inputs on a device, from the values of the flat tensor there.
    pub(super) fn placed<'a>(
        &'a self,
        accelerator: &'a Accelerator,
        flat: Option<&Tensor>,
    ) -> Result<Placed<'a>> {
        let mut tensors = HashMap::with_capacity(self.places.len());
        if let Some(flat) = flat {
            for (id, place) in &self.places {
                let range = &place.range;
                let part = flat.narrow(0, range.start, range.len())?;
                let part = part.reshape(place.shape.as_slice())?.contiguous()?;
                let part = match part.dtype() == accelerator.dtype() {
                    // A tensor of its own, so that its id is.
                    true => part.copy()?,
                    false => part.to_dtype(accelerator.dtype())?,
                };
                tensors.insert(*id, part);
            }
        }
        Ok(Placed {
            accelerator,
            tensors,
        })
    }

    /// Gradients of those inputs that are tracked.
    pub(super) fn gradients(&self, placed: &HashMap<TensorId, Tensor>) -> Gradients {
        let tracked = self.places.iter().filter(|(_, place)| place.is_tracked);
        Gradients::of(tracked.filter_map(|(id, _)| placed.get(id)))
    }

    /// The gradient of the flat tensor on the host.
    pub(super) fn flat_gradient(
        &self,
        placed: &HashMap<TensorId, Tensor>,
        gradients: &mut Gradients,
    ) -> Result<Vec<f32>> {
        let mut flat = vec![0f32; self.length];
        for (id, place) in &self.places {
            let sum = placed.get(id).and_then(|tensor| gradients.take(tensor));
            if let Some(sum) = sum {
                let values = sum.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                flat[place.range.clone()].copy_from_slice(&values);
            }
        }
        Ok(flat)
    }
}

/// Inputs and weights as the device has them.
pub(super) struct Placed<'a> {
    pub(super) accelerator: &'a Accelerator,
    tensors: HashMap<TensorId, Tensor>,
}

impl Placed<'_> {
    /// The device's tensor for one of the host: an input, or a weight of the tower.
    pub(super) fn get(&self, host: &Tensor) -> Result<Tensor> {
        match self.tensors.get(&host.id()) {
            Some(tensor) => Ok(tensor.clone()),
            None => self.accelerator.weight(host),
        }
    }

    pub(super) fn norm(&self, norm: &LayerNorm) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.get(&norm.weight)?,
            bias: self.get(&norm.bias)?,
            eps: norm.eps,
        })
    }

    fn change(&self, change: Option<&LowRank>) -> Result<Option<LowRank>> {
        change
            .map(|change| {
                Ok(LowRank {
                    a: self.get(&change.a)?,
                    b: self.get(&change.b)?,
                    ..change.clone()
                })
            })
            .transpose()
    }

    pub(super) fn linear(&self, linear: &Linear) -> Result<Linear> {
        Ok(Linear {
            weight: self.get(&linear.weight)?,
            bias: linear.bias.as_ref().map(|b| self.get(b)).transpose()?,
            layout: linear.layout,
            low_rank: self.change(linear.low_rank.as_ref())?,
        })
    }

    pub(super) fn block(&self, block: &Block) -> Result<Block> {
        let packing = match &block.packing {
            Packing::Packed {
                map,
                low_rank: [q, k, v],
                key_bias,
            } => Packing::Packed {
                map: self.linear(map)?,
                low_rank: [
                    self.change(q.as_ref())?,
                    self.change(k.as_ref())?,
                    self.change(v.as_ref())?,
                ],
                key_bias: *key_bias,
            },
            Packing::Split([q, k, v]) => {
                Packing::Split([self.linear(q)?, self.linear(k)?, self.linear(v)?])
            }
        };
        let mlp = match &block.mlp {
            Mlp::Plain {
                up,
                activation,
                down,
            } => Mlp::Plain {
                up: self.linear(up)?,
                activation: *activation,
                down: self.linear(down)?,
            },
            Mlp::SwiGlu {
                gate,
                up,
                norm,
                down,
            } => Mlp::SwiGlu {
                gate: self.linear(gate)?,
                up: self.linear(up)?,
                norm: self.norm(norm)?,
                down: self.linear(down)?,
            },
        };
        Ok(Block {
            ln_1: self.norm(&block.ln_1)?,
            packing,
            inner_norm: block
                .inner_norm
                .as_ref()
                .map(|norm| self.norm(norm))
                .transpose()?,
            out: self.linear(&block.out)?,
            ln_2: self.norm(&block.ln_2)?,
            mlp,
        })
    }

    pub(super) fn into_tensors(self) -> HashMap<TensorId, Tensor> {
        self.tensors
    }
}
