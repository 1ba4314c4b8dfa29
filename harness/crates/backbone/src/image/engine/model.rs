//! The tower for one request, with what is trained among its inputs.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Tensor;

use crate::block::{Mlp, Packing};
use crate::dims::Activation;
use crate::engine::{Builder, Inputs, Map, Norm, Slot, Value, Values, with_values};
use crate::error::Result;
use crate::image::edits::TokenEdits;
use crate::image::tower::ImageTower;
use crate::ops::{Rope, WeightLayout};

/// The feed-forward half of a block, but for its last map.
pub(super) enum Hidden {
    Plain { up: Map, activation: Activation },
    SwiGlu { gate: Map, up: Map, norm: Norm },
}

pub(super) struct Layer {
    pub(super) ln_1: Norm,
    pub(super) qkv: Map,
    pub(super) inner_norm: Option<Norm>,
    pub(super) out: Map,
    pub(super) ln_2: Norm,
    pub(super) hidden: Hidden,
    pub(super) down: Map,
    /// Whether a weight of the block gets a gradient.
    is_edited: bool,
}

/// Tokens `[B, n, D]` of an edit among the inputs.
pub(super) struct Tokens {
    /// First value among the inputs.
    start: usize,
    pub(super) count: usize,
    is_tracked: bool,
}

impl Tokens {
    /// Those of one image among the inputs.
    pub(super) fn of_image(&self, image: usize, width: usize) -> Range<usize> {
        let start = self.start + image * self.count * width;
        start..start + self.count * width
    }
}

/// Tokens that take places from `start` on at the input of a block.
pub(super) struct Replaced {
    pub(super) layer: usize,
    pub(super) start: usize,
    pub(super) tokens: Tokens,
}

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) images: usize,
    pub(super) side: usize,
    pub(super) patch: usize,
    pub(super) patches: usize,
    /// Tokens of an image, appended ones included.
    pub(super) tokens: usize,
    pub(super) width: usize,
    pub(super) mlp: usize,
    pub(super) heads: usize,
    pub(super) embed: usize,
}

pub(super) struct Model {
    values: Vec<Value>,
    pub(super) sizes: Sizes,
    pub(super) pixels: Slot,
    pub(super) patch_weight: Slot,
    pub(super) patch_bias: Option<Slot>,
    pub(super) class_token: Slot,
    pub(super) positions: Slot,
    pub(super) appended: Vec<Tokens>,
    pub(super) replaced: Vec<Replaced>,
    pub(super) ln_pre: Option<Norm>,
    pub(super) layers: Vec<Layer>,
    pub(super) ln_post: Norm,
    pub(super) head: Slot,
    pub(super) head_layout: WeightLayout,
    pub(super) head_bias: Option<Slot>,
    pub(super) rope: Option<Arc<Rope>>,
    /// Where weights begin among the inputs, and how many values they have.
    pub(super) weights: (usize, usize),
    /// Whether anything before the first block gets a gradient.
    pub(super) is_edited_before: bool,
    /// The lowest block whose input or weights get a gradient.
    pub(super) lowest: usize,
}

impl Model {
    /// The model of a tower with its edits; none where pixels or whole weights are trained.
    pub(super) fn of(
        tower: &ImageTower,
        pixels: &Tensor,
        edits: &TokenEdits,
        inputs: &mut Inputs,
    ) -> Result<Option<Self>> {
        let fixed = [
            pixels,
            &tower.patch_weight,
            &tower.class_token,
            &tower.positions,
            &tower.head.weight,
        ];
        if fixed.iter().any(|t| t.track_op()) || tower.head.low_rank.is_some() {
            return Ok(None);
        }
        let dims = &tower.dims;
        let mut tokens = |tensor: &Tensor| {
            Ok::<_, crate::error::BackboneError>(Tokens {
                start: inputs.push(tensor)?.start,
                count: tensor.dim(1)?,
                is_tracked: tensor.track_op(),
            })
        };
        let appended: Vec<Tokens> = edits
            .appended()
            .iter()
            .map(&mut tokens)
            .collect::<Result<_>>()?;
        let mut replaced = Vec::new();
        for edit in edits.replaced() {
            replaced.push(Replaced {
                layer: edit.layer,
                start: edit.start,
                tokens: tokens(&edit.tokens)?,
            });
        }
        let weights_start = inputs.length;
        let mut builder = Builder::new(inputs);
        let patch_bias = tower.patch_bias.as_ref().map(|bias| builder.weight(bias));
        let patch_bias = patch_bias.transpose()?;
        let ln_pre = tower.ln_pre.as_ref().map(|norm| builder.norm(norm));
        let ln_pre = ln_pre.transpose()?;
        let before = builder.inputs.length > weights_start;
        let mut layers = Vec::with_capacity(tower.blocks.len());
        for block in &tower.blocks {
            let start = builder.inputs.length;
            let Packing::Packed { map, low_rank, .. } = &block.packing else {
                return Ok(None);
            };
            let third = map.weight.dim(0)? / 3;
            let changes = low_rank
                .iter()
                .enumerate()
                .filter_map(|(i, change)| Some((i * third..(i + 1) * third, change.as_ref()?)));
            let ln_1 = builder.norm(&block.ln_1)?;
            let qkv = builder.map(map, changes)?;
            let inner_norm = block.inner_norm.as_ref().map(|norm| builder.norm(norm));
            let inner_norm = inner_norm.transpose()?;
            let out = builder.linear(&block.out)?;
            let ln_2 = builder.norm(&block.ln_2)?;
            let (hidden, down) = match &block.mlp {
                Mlp::Plain {
                    up,
                    activation,
                    down,
                } => {
                    let activation = *activation;
                    let up = builder.linear(up)?;
                    (up.map(|up| Hidden::Plain { up, activation }), down)
                }
                Mlp::SwiGlu {
                    gate,
                    up,
                    norm,
                    down,
                } => {
                    let maps = builder.linear(gate)?.zip(builder.linear(up)?);
                    let norm = builder.norm(norm)?;
                    (
                        maps.map(|(gate, up)| Hidden::SwiGlu { gate, up, norm }),
                        down,
                    )
                }
            };
            let down = builder.linear(down)?;
            let (Some(qkv), Some(out), Some(hidden), Some(down)) = (qkv, out, hidden, down) else {
                return Ok(None);
            };
            layers.push(Layer {
                ln_1,
                qkv,
                inner_norm,
                out,
                ln_2,
                hidden,
                down,
                is_edited: builder.inputs.length > start,
            });
        }
        let ln_post = builder.norm(&tower.ln_post)?;
        let head_bias = tower.head.bias.as_ref().map(|bias| builder.weight(bias));
        let head_bias = head_bias.transpose()?;
        let (first, second) = tower.head.weight.dims2()?;
        let is_edited_before = before
            || appended.iter().any(|tokens| tokens.is_tracked)
            || replaced.iter().any(|r| r.layer == 0 && r.tokens.is_tracked);
        let of_tokens = replaced
            .iter()
            .filter(|r| r.tokens.is_tracked)
            .map(|r| r.layer);
        let of_weights = layers.iter().position(|layer| layer.is_edited);
        let lowest = match is_edited_before {
            true => 0,
            false => of_tokens.chain(of_weights).min().unwrap_or(layers.len()),
        };
        let extra: usize = appended.iter().map(|tokens| tokens.count).sum();
        Ok(Some(Self {
            sizes: Sizes {
                images: pixels.dim(0)?,
                side: dims.image_size,
                patch: dims.patch_size,
                patches: dims.patches,
                tokens: 1 + dims.patches + extra,
                width: dims.width,
                mlp: layers
                    .iter()
                    .map(|layer| layer.down.inner)
                    .max()
                    .unwrap_or(0),
                heads: dims.heads,
                embed: match tower.head.layout {
                    WeightLayout::OutIn => first,
                    WeightLayout::InOut => second,
                },
            },
            pixels: builder.fixed(pixels)?,
            patch_weight: builder.fixed(&tower.patch_weight)?,
            patch_bias,
            class_token: builder.fixed(&tower.class_token)?,
            positions: builder.fixed(&tower.positions)?,
            appended,
            replaced,
            ln_pre,
            layers,
            ln_post,
            head: builder.fixed(&tower.head.weight)?,
            head_layout: tower.head.layout,
            head_bias,
            rope: tower.attention.rope.clone(),
            weights: (weights_start, builder.inputs.length - weights_start),
            is_edited_before,
            lowest,
            values: builder.values,
        }))
    }

    /// Calls `f` with the values of all slots.
    pub(super) fn with_values<R>(
        &self,
        inputs: &[f32],
        f: impl FnOnce(&Values<'_>) -> R,
    ) -> candle_core::Result<R> {
        with_values("image tower", &self.values, inputs, f)
    }
}
