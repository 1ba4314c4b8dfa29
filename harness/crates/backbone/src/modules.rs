//! The parts of a tower by canonical name, for reading; `names` has the table of names.

use std::borrow::Cow;

use candle_core::Tensor;

use crate::block::{Block, Mlp, Packing};
use crate::error::Result;
use crate::names::{PARTS, unknown};
use crate::ops::{LayerNorm, Linear, WeightLayout};

/// A part of a tower that has a name.
pub(crate) enum Module<'a> {
    Norm(&'a LayerNorm),
    Linear(Cow<'a, Linear>),
    /// The bias of a map whose weight has no name.
    Bias(&'a Tensor),
}

impl Block {
    /// Its modules, from input to output.
    pub(crate) fn modules(&self) -> Result<Vec<(&'static str, Module<'_>)>> {
        let mut list = vec![("ln_1", Module::Norm(&self.ln_1))];
        match &self.packing {
            Packing::Packed { map, key_bias, .. } => {
                for (part, name) in PARTS.into_iter().enumerate() {
                    let mut map = third(map, part)?;
                    if name == "attn.k" && !key_bias {
                        map.bias = None;
                    }
                    list.push((name, Module::Linear(Cow::Owned(map))));
                }
            }
            Packing::Split(parts) => {
                let parts = PARTS.into_iter().zip(parts);
                list.extend(parts.map(|(name, map)| (name, borrowed(map))));
            }
        }
        if let Some(norm) = &self.inner_norm {
            list.push(("attn.norm", Module::Norm(norm)));
        }
        list.push(("attn.out", borrowed(&self.out)));
        list.push(("ln_2", Module::Norm(&self.ln_2)));
        match &self.mlp {
            Mlp::Plain { up, down, .. } => {
                list.push(("mlp.fc", borrowed(up)));
                list.push(("mlp.proj", borrowed(down)));
            }
            Mlp::SwiGlu {
                gate,
                up,
                norm,
                down,
            } => {
                list.push(("mlp.gate", borrowed(gate)));
                list.push(("mlp.up", borrowed(up)));
                list.push(("mlp.norm", Module::Norm(norm)));
                list.push(("mlp.proj", borrowed(down)));
            }
        }
        Ok(list)
    }
}

/// The value of a weight `[out, in]`, bias or gain of a tower: of one of its blocks, or of `other` by the name of its
/// module.
pub(crate) fn read<'a>(
    tower: &str,
    name: &str,
    blocks: &'a [Block],
    other: impl FnOnce(&str) -> Option<Module<'a>>,
) -> Result<Tensor> {
    let (module, kind) = name.rsplit_once('.').ok_or_else(|| unknown(tower, name))?;
    let module = match module.strip_prefix("blocks.") {
        Some(inside) => block_module(blocks, inside)?,
        None => other(module),
    };
    let value = match (&module, kind) {
        (Some(Module::Norm(norm)), "weight") => Some(&norm.weight),
        (Some(Module::Norm(norm)), "bias") => Some(&norm.bias),
        (Some(Module::Linear(map)), "bias") => map.bias.as_ref(),
        (Some(Module::Bias(bias)), "bias") => Some(*bias),
        (Some(Module::Linear(map)), "weight") => {
            let weight = match map.layout {
                WeightLayout::OutIn => map.weight.detach(),
                WeightLayout::InOut => map.weight.detach().t()?.contiguous()?,
            };
            return Ok(weight);
        }
        _ => None,
    };
    value
        .map(Tensor::detach)
        .ok_or_else(|| unknown(tower, name))
}

/// The module called `INDEX.NAME`.
fn block_module<'a>(blocks: &'a [Block], name: &str) -> Result<Option<Module<'a>>> {
    let split = name.split_once('.');
    let block =
        split.and_then(|(layer, name)| Some((blocks.get(layer.parse::<usize>().ok()?)?, name)));
    let Some((block, name)) = block else {
        return Ok(None);
    };
    let found = block
        .modules()?
        .into_iter()
        .find(|(known, _)| *known == name);
    Ok(found.map(|(_, module)| module))
}

fn borrowed(map: &Linear) -> Module<'_> {
    Module::Linear(Cow::Borrowed(map))
}

/// One of the three maps that are packed into one.
fn third(map: &Linear, part: usize) -> Result<Linear> {
    let rows = map.weight.dim(0)? / 3;
    let bias = map.bias.as_ref();
    let bias = bias.map(|bias| bias.narrow(0, part * rows, rows));
    Ok(Linear::new(
        map.weight.narrow(0, part * rows, rows)?,
        bias.transpose()?,
    ))
}
