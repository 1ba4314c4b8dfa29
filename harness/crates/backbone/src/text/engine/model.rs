//! The tower's weights as the engine reads them, and which of its inputs stand among them.

use std::ops::Range;

use candle_core::{Tensor, TensorId};

use crate::block::{Mlp, Packing};
use crate::dims::Activation;
use crate::error::Result;
use crate::ops::{Dropout, LayerNorm, Linear, LowRank, WeightLayout};
use crate::text::tower::TextTower;

/// Index of a weight among the values of a model.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

/// A LayerNorm.
pub(super) struct Norm {
    pub(super) gain: Slot,
    pub(super) bias: Slot,
    pub(super) eps: f32,
}

/// An affine map with a weight `[out, in]` that gets no gradient.
pub(super) struct Map {
    pub(super) weight: Slot,
    pub(super) bias: Option<Slot>,
    pub(super) inner: usize,
    pub(super) outer: usize,
    pub(super) changes: Vec<Change>,
}

/// A low-rank change of some of a map's outputs.
pub(super) struct Change {
    pub(super) columns: Range<usize>,
    pub(super) a: Slot,
    pub(super) b: Slot,
    pub(super) rank: usize,
    pub(super) scale: f32,
    pub(super) dropout: Option<Dropout>,
}

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

/// What a slot holds.
enum Value {
    /// A tensor without gradient, contiguous.
    Fixed(Tensor),
    /// Part of the inputs.
    Input(Range<usize>),
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

/// The inputs of a request: rows of contexts and replacements, then weights.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) tensors: Vec<Tensor>,
    pub(super) length: usize,
}

impl Inputs {
    pub(super) fn push(&mut self, tensor: &Tensor) -> Result<Range<usize>> {
        let start = self.length;
        self.tensors.push(tensor.flatten_all()?);
        self.length += tensor.elem_count();
        Ok(start..self.length)
    }
}

/// Values of all slots during one pass.
pub(super) struct Values<'a> {
    slices: Vec<(&'a [f32], Option<Range<usize>>)>,
}

impl<'a> Values<'a> {
    pub(super) fn get(&self, slot: Slot) -> &'a [f32] {
        self.slices[slot.0].0
    }

    /// Where the gradient of a slot belongs among the inputs; none for a fixed weight.
    pub(super) fn gradient(&self, slot: Slot) -> Option<Range<usize>> {
        self.slices[slot.0].1.clone()
    }
}

impl Model {
    /// The model of a tower; none where it is trained as a whole or is built of other blocks.
    pub(super) fn of(tower: &TextTower, inputs: &mut Inputs) -> Result<Option<Self>> {
        let mut builder = Builder {
            values: Vec::new(),
            inputs,
            has_dropout: false,
        };
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
            .map(|i| match &self.values[i] {
                Value::Fixed(tensor) => Some(tensor.id()),
                Value::Input(_) => None,
            });
        ids.collect()
    }

    /// Calls `f` with the values of all slots.
    pub(super) fn with_values<R>(
        &self,
        inputs: &[f32],
        f: impl FnOnce(&Values<'_>) -> R,
    ) -> candle_core::Result<R> {
        let guards = self.values.iter().map(|value| match value {
            Value::Fixed(tensor) => Some(tensor.storage_and_layout()),
            Value::Input(_) => None,
        });
        let guards: Vec<_> = guards.collect();
        let mut slices = Vec::with_capacity(guards.len());
        for (value, guard) in self.values.iter().zip(&guards) {
            slices.push(match (value, guard) {
                (Value::Input(range), _) => (&inputs[range.clone()], Some(range.clone())),
                (Value::Fixed(_), Some((storage, layout))) => match &**storage {
                    candle_core::Storage::Cpu(cpu) => {
                        (crate::ops::view::slice(cpu, layout, "text tower")?, None)
                    }
                    _ => candle_core::bail!("text tower: expected a tensor on the CPU"),
                },
                (Value::Fixed(_), None) => candle_core::bail!("text tower: a weight is missing"),
            });
        }
        Ok(f(&Values { slices }))
    }
}

struct Builder<'a> {
    values: Vec<Value>,
    inputs: &'a mut Inputs,
    has_dropout: bool,
}

impl Builder<'_> {
    fn put(&mut self, value: Value) -> Slot {
        self.values.push(value);
        Slot(self.values.len() - 1)
    }

    fn fixed(&mut self, tensor: &Tensor) -> Result<Slot> {
        let tensor = tensor.contiguous()?;
        Ok(self.put(Value::Fixed(tensor)))
    }

    /// A weight that an edit may have made an input.
    fn weight(&mut self, tensor: &Tensor) -> Result<Slot> {
        if tensor.track_op() {
            let range = self.inputs.push(tensor)?;
            return Ok(self.put(Value::Input(range)));
        }
        self.fixed(tensor)
    }

    fn norm(&mut self, norm: &LayerNorm) -> Result<Norm> {
        Ok(Norm {
            gain: self.weight(&norm.weight)?,
            bias: self.weight(&norm.bias)?,
            eps: norm.eps,
        })
    }

    fn linear(&mut self, linear: &Linear) -> Result<Option<Map>> {
        let outer = linear.weight.dim(0)?;
        let change = linear.low_rank.as_ref();
        self.map(linear, change.map(|change| (0..outer, change)))
    }

    fn map<'t>(
        &mut self,
        linear: &Linear,
        changes: impl IntoIterator<Item = (Range<usize>, &'t LowRank)>,
    ) -> Result<Option<Map>> {
        if linear.weight.track_op() || linear.layout != WeightLayout::OutIn {
            return Ok(None);
        }
        let (outer, inner) = linear.weight.dims2()?;
        let bias = linear.bias.as_ref().map(|bias| self.weight(bias));
        let mut map = Map {
            weight: self.fixed(&linear.weight)?,
            bias: bias.transpose()?,
            inner,
            outer,
            changes: Vec::new(),
        };
        for (columns, change) in changes {
            self.has_dropout |= change.dropout.is_some();
            map.changes.push(Change {
                columns,
                rank: change.a.dim(0)?,
                a: self.weight(&change.a)?,
                b: self.weight(&change.b)?,
                scale: change.scale,
                dropout: change.dropout,
            });
        }
        Ok(Some(map))
    }
}
