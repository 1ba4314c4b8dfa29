//! The tower's weights as the engine reads them, and which of its inputs stand among them.

use std::ops::Range;

use candle_core::TensorId;

use crate::block::{Mlp, Packing};
use crate::dims::Activation;
use crate::engine::{Builder, Inputs, Map, Norm, Slot, Value, Values, with_values};
use crate::error::Result;
use crate::ops::WeightLayout;
use crate::text::tower::TextTower;

pub(super) struct Layer {
    pub(super) ln_1: Norm,
    pub(super) qkv: Map,
    pub(super) out: Map,
    pub(super) ln_2: Norm,
    pub(super) up: Map,
    pub(super) down: Map,
    /// Whether a weight of the block gets a gradient.
    pub(super) is_edited: bool,
    /// The block's values among those of the model.
    values: Range<usize>,
}

/// The tower for one request.
pub(super) struct Model {
    values: Vec<Value>,
    pub(super) layers: Vec<Layer>,
    pub(super) tokens: Slot,
    pub(super) positions: Slot,
    pub(super) ln_final: Norm,
    pub(super) projection: Slot,
    pub(super) projection_layout: WeightLayout,
    pub(super) activation: Activation,
    pub(super) width: usize,
    pub(super) mlp: usize,
    pub(super) heads: usize,
    pub(super) embed: usize,
    /// Whether a change of a weight drops values, so that no two rows are alike.
    pub(super) has_dropout: bool,
}

impl Model {
    /// The model of a tower; none where it is trained as a whole or is built of other blocks.
    pub(super) fn of(tower: &TextTower, inputs: &mut Inputs) -> Result<Option<Self>> {
        let mut builder = Builder::new(inputs);
        let fixed = [&tower.token_embedding, &tower.positions];
        if fixed.iter().any(|t| t.track_op()) || tower.blocks.is_empty() {
            return Ok(None);
        }
        let mut layers = Vec::with_capacity(tower.blocks.len());
        for block in &tower.blocks {
            let Packing::Packed { map, low_rank, .. } = &block.packing else {
                return Ok(None);
            };
            let Mlp::Plain { up, down, .. } = &block.mlp else {
                return Ok(None);
            };
            if block.inner_norm.is_some() {
                return Ok(None);
            }
            let (before, first) = (builder.inputs.length, builder.values.len());
            let ln_1 = builder.norm(&block.ln_1)?;
            let third = map.weight.dim(0)? / 3;
            let changes = low_rank
                .iter()
                .enumerate()
                .filter_map(|(i, change)| Some((i * third..(i + 1) * third, change.as_ref()?)));
            let qkv = builder.map(map, changes)?;
            let out = builder.linear(&block.out)?;
            let ln_2 = builder.norm(&block.ln_2)?;
            let (up, down) = (builder.linear(up)?, builder.linear(down)?);
            let (Some(qkv), Some(out), Some(up), Some(down)) = (qkv, out, up, down) else {
                return Ok(None);
            };
            layers.push(Layer {
                ln_1,
                qkv,
                out,
                ln_2,
                up,
                down,
                is_edited: builder.inputs.length > before,
                values: first..builder.values.len(),
            });
        }
        let projection = &tower.projection;
        if projection.weight.track_op()
            || projection.bias.is_some()
            || projection.low_rank.is_some()
        {
            return Ok(None);
        }
        let (outer, inner) = projection.weight.dims2()?;
        let ln_final = builder.norm(&tower.ln_final)?;
        Ok(Some(Self {
            layers,
            tokens: builder.fixed(&tower.token_embedding)?,
            positions: builder.fixed(&tower.positions)?,
            ln_final,
            projection: builder.fixed(&projection.weight)?,
            projection_layout: projection.layout,
            activation: tower.dims.activation,
            width: tower.dims.width,
            mlp: tower.dims.mlp,
            heads: tower.dims.heads,
            embed: match projection.layout {
                WeightLayout::OutIn => outer,
                WeightLayout::InOut => inner,
            },
            has_dropout: builder.has_dropout,
            values: builder.values,
        }))
    }

    /// The tensors that decide what leaves the blocks before `end`; none if an input is among them.
    pub(super) fn fixed_before(&self, end: usize) -> Option<Vec<TensorId>> {
        let blocks = self.layers[..end].iter().map(|layer| layer.values.clone());
        let slots = [self.tokens.0, self.positions.0].into_iter();
        let ids = slots
            .chain(blocks.flatten())
            .map(|i| self.values[i].fixed_id());
        ids.collect()
    }

    /// Calls `f` with the values of all slots.
    pub(super) fn with_values<R>(
        &self,
        inputs: &[f32],
        f: impl FnOnce(&Values<'_>) -> R,
    ) -> candle_core::Result<R> {
        with_values("text tower", &self.values, inputs, f)
    }
}
