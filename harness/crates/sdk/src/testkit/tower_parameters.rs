//! Parameters and blocks of the toy towers, named as in a real one.

use std::collections::BTreeMap;

use candle_core::Tensor;
use harness_abi::wire::{BiasMode, Edit, NamedParameter, Tower};

use super::values::fixed_values;
use crate::{
    Error, Result,
    method::{TowerSize, tower_parameters},
};

/// The parameters of a toy tower by name.
#[derive(Clone)]
pub(super) struct TowerParameters {
    tower: Tower,
    values: BTreeMap<String, Tensor>,
}

impl TowerParameters {
    /// Parameters of `layers` blocks, and of `norms` outside them.
    pub(super) fn new(tower: Tower, layers: usize, width: usize, norms: &[&str]) -> Result<Self> {
        let size = TowerSize {
            tower,
            layers,
            width,
            hidden: 2 * width,
        };
        let mut values = BTreeMap::new();
        for (i, parameter) in tower_parameters(size, norms).into_iter().enumerate() {
            let NamedParameter { name, shape, .. } = parameter;
            let phase = 3.0 + i as f64 + 0.3 * tower as usize as f64;
            let value = match (shape.len(), name.ends_with(".weight")) {
                (2, _) => fixed_values(&shape, phase, 0.6)?,
                // Gains are near 1.
                (_, true) => (fixed_values(&shape, phase, 0.1)? + 1.0)?,
                (_, false) => fixed_values(&shape, phase, 0.1)?,
            };
            values.insert(name, value);
        }
        Ok(Self { tower, values })
    }

    /// What edits can change.
    pub(super) fn list(&self) -> impl Iterator<Item = NamedParameter> {
        self.values.iter().map(|(name, value)| NamedParameter {
            tower: self.tower,
            name: name.clone(),
            shape: value.dims().to_vec(),
        })
    }

    pub(super) fn get(&self, name: &str) -> Result<&Tensor> {
        self.values
            .get(name)
            .ok_or_else(|| Error::Config(format!("toy host: no parameter {name}")))
    }

    /// The parameters with the edits of this tower applied; dropout is ignored.
    pub(super) fn edited(&self, edits: &[Edit], tensors: &[Tensor]) -> Result<Self> {
        let mut edited = self.clone();
        for edit in edits {
            let (name, value) = match edit {
                Edit::LowRank {
                    tower,
                    weight,
                    a,
                    b,
                    scale,
                    ..
                } if *tower == self.tower => {
                    let change = (tensors[*b].matmul(&tensors[*a])? * f64::from(*scale))?;
                    (weight, (edited.get(weight)? + change)?)
                }
                Edit::Bias {
                    tower,
                    name,
                    mode,
                    tensor,
                } if *tower == self.tower => {
                    let (own, value) = (edited.get(name)?, &tensors[*tensor]);
                    if own.dims() != value.dims() {
                        return Err(Error::Config(format!(
                            "toy host: {name} is {:?}, found {:?}",
                            own.dims(),
                            value.dims()
                        )));
                    }
                    let value = match mode {
                        BiasMode::Replace => value.clone(),
                        BiasMode::Delta => (own + value)?,
                    };
                    (name, value)
                }
                _ => continue,
            };
            edited.values.insert(name.clone(), value);
        }
        Ok(edited)
    }

    /// `x * gain + bias` `[S, D]`: a LayerNorm without normalisation.
    pub(super) fn norm(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let scaled = x.broadcast_mul(self.get(&format!("{name}.weight"))?)?;
        Ok(scaled.broadcast_add(self.get(&format!("{name}.bias"))?)?)
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let weight = self.get(&format!("{name}.weight"))?;
        let bias = self.get(&format!("{name}.bias"))?;
        Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?)
    }

    /// One residual block on `[S, D]`; `mean` `[S, S]` mixes the positions.
    pub(super) fn block(&self, layer: usize, mean: &Tensor, x: &Tensor) -> Result<Tensor> {
        let name = |part: &str| format!("blocks.{layer}.{part}");
        let h = self.norm(&name("ln_1"), x)?;
        let score = self.linear(&name("attn.q"), &h)? + self.linear(&name("attn.k"), &h)?;
        let value = (self.linear(&name("attn.v"), &h)? * (score?.tanh()? + 1.0)?)?;
        let mixed = self.linear(&name("attn.out"), &mean.matmul(&value)?)?;
        let x = (x + mixed.tanh()?)?;
        let h = self.norm(&name("ln_2"), &x)?;
        let hidden = self.linear(&name("mlp.fc"), &h)?.tanh()?;
        Ok((&x + self.linear(&name("mlp.proj"), &hidden)?)?)
    }
}

/// Replaces tokens `[n, D]` from position `start` of `[S, D]`.
pub(super) fn replace_tokens(x: &Tensor, start: usize, tokens: &Tensor) -> Result<Tensor> {
    let end = start + tokens.dim(0)?;
    let parts = [
        x.narrow(0, 0, start)?,
        tokens.clone(),
        x.narrow(0, end, x.dim(0)? - end)?,
    ];
    Ok(Tensor::cat(&parts, 0)?)
}
