//! The weights of a tower as flat slices, and which of a request's inputs stand among them.

use std::ops::Range;

use candle_core::{Tensor, TensorId};

use super::maps::{Change, Map, Norm};
use crate::error::Result;
use crate::ops::{LayerNorm, Linear, LowRank, WeightLayout};

/// Index of a weight among the values of a model.
#[derive(Clone, Copy)]
pub(crate) struct Slot(pub(crate) usize);

/// What a slot holds.
pub(crate) enum Value {
    /// A tensor without gradient, contiguous.
    Fixed(Tensor),
    /// Part of the inputs.
    Input(Range<usize>),
}

impl Value {
    /// The tensor's identity; none for an input.
    pub(crate) fn fixed_id(&self) -> Option<TensorId> {
        match self {
            Self::Fixed(tensor) => Some(tensor.id()),
            Self::Input(_) => None,
        }
    }
}

/// The inputs of a request: rows of contexts and replacements, then weights.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) length: usize,
}

impl Inputs {
    pub(crate) fn push(&mut self, tensor: &Tensor) -> Result<Range<usize>> {
        let start = self.length;
        self.tensors.push(tensor.flatten_all()?);
        self.length += tensor.elem_count();
        Ok(start..self.length)
    }
}

/// Values of all slots during one pass.
pub(crate) struct Values<'a> {
    slices: Vec<(&'a [f32], Option<Range<usize>>)>,
}

impl<'a> Values<'a> {
    pub(crate) fn get(&self, slot: Slot) -> &'a [f32] {
        self.slices[slot.0].0
    }

    /// Where the gradient of a slot belongs among the inputs; none for a fixed weight.
    pub(crate) fn gradient(&self, slot: Slot) -> Option<Range<usize>> {
        self.slices[slot.0].1.clone()
    }
}

/// Calls `f` with the values of all slots; `what` they belong to stands in errors.
pub(crate) fn with_values<R>(
    what: &str,
    values: &[Value],
    inputs: &[f32],
    f: impl FnOnce(&Values<'_>) -> R,
) -> candle_core::Result<R> {
    let guards = values.iter().map(|value| match value {
        Value::Fixed(tensor) => Some(tensor.storage_and_layout()),
        Value::Input(_) => None,
    });
    let guards: Vec<_> = guards.collect();
    let mut slices = Vec::with_capacity(guards.len());
    for (value, guard) in values.iter().zip(&guards) {
        slices.push(match (value, guard) {
            (Value::Input(range), _) => (&inputs[range.clone()], Some(range.clone())),
            (Value::Fixed(_), Some((storage, layout))) => match &**storage {
                candle_core::Storage::Cpu(cpu) => (
                    crate::ops::view::slice(cpu, layout, "a tower's weight")?,
                    None,
                ),
                _ => candle_core::bail!("{what}: expected a tensor on the CPU"),
            },
            (Value::Fixed(_), None) => candle_core::bail!("{what}: a weight is missing"),
        });
    }
    Ok(f(&Values { slices }))
}

/// Collects the values of a model.
pub(crate) struct Builder<'a> {
    pub(crate) values: Vec<Value>,
    pub(crate) inputs: &'a mut Inputs,
    /// Whether a change of a weight drops values.
    pub(crate) has_dropout: bool,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(inputs: &'a mut Inputs) -> Self {
        Self {
            values: Vec::new(),
            inputs,
            has_dropout: false,
        }
    }

    fn put(&mut self, value: Value) -> Slot {
        self.values.push(value);
        Slot(self.values.len() - 1)
    }

    pub(crate) fn fixed(&mut self, tensor: &Tensor) -> Result<Slot> {
        let tensor = tensor.contiguous()?;
        Ok(self.put(Value::Fixed(tensor)))
    }

    /// A weight that an edit may have made an input.
    pub(crate) fn weight(&mut self, tensor: &Tensor) -> Result<Slot> {
        if tensor.track_op() {
            let range = self.inputs.push(tensor)?;
            return Ok(self.put(Value::Input(range)));
        }
        self.fixed(tensor)
    }

    pub(crate) fn norm(&mut self, norm: &LayerNorm) -> Result<Norm> {
        Ok(Norm {
            gain: self.weight(&norm.weight)?,
            bias: self.weight(&norm.bias)?,
            eps: norm.eps,
        })
    }

    pub(crate) fn linear(&mut self, linear: &Linear) -> Result<Option<Map>> {
        let outer = linear.weight.dim(0)?;
        let change = linear.low_rank.as_ref();
        self.map(linear, change.map(|change| (0..outer, change)))
    }

    pub(crate) fn map<'t>(
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
