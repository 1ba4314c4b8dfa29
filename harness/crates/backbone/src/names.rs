//! Canonical names of the parameters that edits can change, the same for every layout.
//!
//! | canonical | open_clip | transformers | EVA02 in timm | EVA02 in EVA-CLIP |
//! |---|---|---|---|---|
//! | `blocks.N.ln_1` | `ln_1` | `layer_norm1` | `norm1` | `norm1` |
//! | `blocks.N.attn.q` | first third of `attn.in_proj` | `self_attn.q_proj` | `attn.q_proj` | `attn.q_proj`, `attn.q_bias` |
//! | `blocks.N.attn.k` | second third | `self_attn.k_proj` | `attn.k_proj`, no bias | `attn.k_proj`, no bias |
//! | `blocks.N.attn.v` | last third | `self_attn.v_proj` | `attn.v_proj` | `attn.v_proj`, `attn.v_bias` |
//! | `blocks.N.attn.norm` | – | – | `attn.norm` | `attn.inner_attn_ln` |
//! | `blocks.N.attn.out` | `attn.out_proj` | `self_attn.out_proj` | `attn.proj` | `attn.proj` |
//! | `blocks.N.ln_2` | `ln_2` | `layer_norm2` | `norm2` | `norm2` |
//! | `blocks.N.mlp.fc` | `mlp.c_fc` | `mlp.fc1` | – | – |
//! | `blocks.N.mlp.gate` | – | – | `mlp.fc1_g` | `mlp.w1` |
//! | `blocks.N.mlp.up` | – | – | `mlp.fc1_x` | `mlp.w2` |
//! | `blocks.N.mlp.norm` | – | – | `mlp.norm` | `mlp.ffn_ln` |
//! | `blocks.N.mlp.proj` | `mlp.c_proj` | `mlp.fc2` | `mlp.fc2` | `mlp.w3` |
//! | `ln_final` (text) | `ln_final` | `final_layer_norm` | – | – |
//! | `ln_pre` (image) | `ln_pre` | `pre_layrnorm` | – | – |
//! | `ln_post` (image) | `ln_post` | `post_layernorm` | `norm` | `norm` |
//! | `patch` (image) | – | – | `patch_embed.proj` | `patch_embed.proj` |
//! | `head` (image) | – | – | `head` | `head` |
//!
//! Each has a `.weight` and a `.bias`; a text tower next to EVA02 is named as open_clip's.

use candle_core::Tensor;

use crate::block::{Block, Mlp, Packing};
use crate::dims::Dims;
use crate::error::BackboneError;
use crate::ops::{LayerNorm, Linear, LowRank};

/// A weight, bias or gain that an edit can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedParameter {
    /// Canonical name within its tower.
    pub name: String,
    /// `[n]` for a bias or gain, `[out, in]` for the weight of a linear map.
    pub shape: Vec<usize>,
}

impl Dims {
    /// What an edit of the text tower can name, in order.
    pub fn text_parameters(&self) -> Vec<NamedParameter> {
        let mut list = List::default();
        let text = &self.text;
        for layer in 0..text.layers {
            list.plain_block(layer, text.width, text.mlp);
        }
        list.norm("ln_final", text.width);
        list.0
    }

    /// What an edit of the image tower can name, in order.
    pub fn image_parameters(&self) -> Vec<NamedParameter> {
        let mut list = List::default();
        let image = &self.image;
        let is_eva = image.has_rope;
        if is_eva {
            list.push("patch.bias".into(), &[image.width]);
        }
        if image.has_ln_pre {
            list.norm("ln_pre", image.width);
        }
        for layer in 0..image.layers {
            match is_eva {
                true => list.eva_block(layer, image.width, image.mlp),
                false => list.plain_block(layer, image.width, image.mlp),
            }
        }
        list.norm("ln_post", image.width);
        if is_eva {
            list.push("head.bias".into(), &[self.embed_dim]);
        }
        list.0
    }
}

#[derive(Default)]
struct List(Vec<NamedParameter>);

impl List {
    fn push(&mut self, name: String, shape: &[usize]) {
        let shape = shape.to_vec();
        self.0.push(NamedParameter { name, shape });
    }

    fn norm(&mut self, module: &str, width: usize) {
        self.push(format!("{module}.weight"), &[width]);
        self.push(format!("{module}.bias"), &[width]);
    }

    fn linear(&mut self, module: &str, outer: usize, inner: usize) {
        self.push(format!("{module}.weight"), &[outer, inner]);
        self.push(format!("{module}.bias"), &[outer]);
    }

    fn plain_block(&mut self, layer: usize, d: usize, mlp: usize) {
        let at = format!("blocks.{layer}.");
        self.norm(&format!("{at}ln_1"), d);
        for part in PARTS {
            self.linear(&format!("{at}{part}"), d, d);
        }
        self.linear(&format!("{at}attn.out"), d, d);
        self.norm(&format!("{at}ln_2"), d);
        self.linear(&format!("{at}mlp.fc"), mlp, d);
        self.linear(&format!("{at}mlp.proj"), d, mlp);
    }

    fn eva_block(&mut self, layer: usize, d: usize, mlp: usize) {
        let at = format!("blocks.{layer}.");
        self.norm(&format!("{at}ln_1"), d);
        self.linear(&format!("{at}attn.q"), d, d);
        self.push(format!("{at}attn.k.weight"), &[d, d]);
        self.linear(&format!("{at}attn.v"), d, d);
        self.norm(&format!("{at}attn.norm"), d);
        self.linear(&format!("{at}attn.out"), d, d);
        self.norm(&format!("{at}ln_2"), d);
        self.linear(&format!("{at}mlp.gate"), mlp, d);
        self.linear(&format!("{at}mlp.up"), mlp, d);
        self.norm(&format!("{at}mlp.norm"), mlp);
        self.linear(&format!("{at}mlp.proj"), d, mlp);
    }
}

/// Queries, keys and values, in packed order.
pub(crate) const PARTS: [&str; 3] = ["attn.q", "attn.k", "attn.v"];

/// Where an edit writes a named parameter.
pub(crate) enum Slot<'a> {
    /// A bias or gain of its own.
    Vector(&'a mut Tensor),
    /// One third of a packed bias.
    Third(&'a mut Tensor, usize),
    /// The weight of a linear map: where its low-rank change goes, and `[out, in]`.
    Map(&'a mut Option<LowRank>, [usize; 2]),
}

/// The error for a name that a tower does not have.
pub(crate) fn unknown(tower: &str, name: &str) -> BackboneError {
    BackboneError::NotOffered(format!("the {tower} tower has no parameter `{name}`"))
}

/// A parameter of a tower: of one of its blocks, or `other` by the rest of its name.
pub(crate) fn slot<'a>(
    blocks: &'a mut [Block],
    name: &str,
    other: impl FnOnce(&str, &str) -> Option<Slot<'a>>,
) -> Option<Slot<'a>> {
    let (module, kind) = name.rsplit_once('.')?;
    match module.strip_prefix("blocks.") {
        Some(inside) => {
            let (layer, module) = inside.split_once('.')?;
            block_slot(blocks.get_mut(layer.parse::<usize>().ok()?)?, module, kind)
        }
        None => other(module, kind),
    }
}

fn block_slot<'a>(block: &'a mut Block, module: &str, kind: &str) -> Option<Slot<'a>> {
    if let Some(part) = PARTS.iter().position(|name| *name == module) {
        return packed(&mut block.packing, part, kind);
    }
    match (module, &mut block.mlp) {
        ("ln_1", _) => norm(&mut block.ln_1, kind),
        ("ln_2", _) => norm(&mut block.ln_2, kind),
        ("attn.norm", _) => norm(block.inner_norm.as_mut()?, kind),
        ("attn.out", _) => linear(&mut block.out, kind),
        ("mlp.fc", Mlp::Plain { up, .. }) => linear(up, kind),
        ("mlp.gate", Mlp::SwiGlu { gate, .. }) => linear(gate, kind),
        ("mlp.up", Mlp::SwiGlu { up, .. }) => linear(up, kind),
        ("mlp.norm", Mlp::SwiGlu { norm: inner, .. }) => norm(inner, kind),
        ("mlp.proj", Mlp::Plain { down, .. } | Mlp::SwiGlu { down, .. }) => linear(down, kind),
        _ => None,
    }
}

fn packed<'a>(packing: &'a mut Packing, part: usize, kind: &str) -> Option<Slot<'a>> {
    match packing {
        Packing::Split(parts) => linear(&mut parts[part], kind),
        Packing::Packed {
            map,
            low_rank,
            key_bias,
        } => match kind {
            "weight" => {
                let (triple, inner) = map.weight.dims2().ok()?;
                Some(Slot::Map(&mut low_rank[part], [triple / 3, inner]))
            }
            "bias" if part != 1 || *key_bias => Some(Slot::Third(map.bias.as_mut()?, part)),
            _ => None,
        },
    }
}

/// The gain or bias of a LayerNorm.
pub(crate) fn norm<'a>(norm: &'a mut LayerNorm, kind: &str) -> Option<Slot<'a>> {
    match kind {
        "weight" => Some(Slot::Vector(&mut norm.weight)),
        "bias" => Some(Slot::Vector(&mut norm.bias)),
        _ => None,
    }
}

/// The weight or bias of a linear map.
fn linear<'a>(linear: &'a mut Linear, kind: &str) -> Option<Slot<'a>> {
    match kind {
        "weight" => {
            let (outer, inner) = linear.weight.dims2().ok()?;
            Some(Slot::Map(&mut linear.low_rank, [outer, inner]))
        }
        "bias" => Some(Slot::Vector(linear.bias.as_mut()?)),
        _ => None,
    }
}
