//! The weights of a tower as slices.

use std::ops::{Deref, Range};

use candle_core::{CpuStorage, Storage, Tensor};

use crate::block::{Block, Mlp, Packing};
use crate::dims::Activation;
use crate::error::{BackboneError, Result};
use crate::matrix::{Matrix, Target, add_product, set_product};
use crate::ops::view::slice;
use crate::ops::{LayerNorm, Linear, LowRank, WeightLayout};

/// Values of a contiguous tensor on the CPU, or values of their own.
pub(super) enum Values<'t> {
    Stored(Box<dyn Deref<Target = Storage> + Sync + 't>, Range<usize>),
    Owned(Vec<f32>),
}

impl<'t> Values<'t> {
    pub(super) fn of(tensor: &'t Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let range = layout.contiguous_offsets();
        let on_cpu = matches!(&*storage, Storage::Cpu(cpu) if slice(cpu, layout, "values").is_ok());
        match range.filter(|_| on_cpu) {
            Some((start, end)) => Ok(Self::Stored(Box::new(storage), start..end)),
            None => Err(BackboneError::Request(format!(
                "expected contiguous f32 values on the CPU, found {:?} {:?}",
                tensor.dtype(),
                tensor.dims()
            ))),
        }
    }
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Owned(values) => values,
            Self::Stored(storage, range) => match &***storage {
                Storage::Cpu(CpuStorage::F32(values)) => &values[range.clone()],
                // `of` has refused every other storage.
                _ => &[],
            },
        }
    }
}

/// A linear map.
pub(super) struct Map<'t> {
    weight: Values<'t>,
    pub(super) bias: Option<Values<'t>>,
    layout: WeightLayout,
    inner: usize,
    outer: usize,
}

impl<'t> Map<'t> {
    /// None if a change of the weight needs the graph.
    pub(super) fn of(linear: &'t Linear) -> Result<Option<Self>> {
        let outer = linear.weight.dim(0)?;
        let change = linear.low_rank.as_ref();
        Self::changed(linear, change.map(|change| (0..outer, change)))
    }

    /// The map with low-rank changes of some of its outputs, added to a copy of the weight.
    fn changed(
        linear: &'t Linear,
        changes: impl IntoIterator<Item = (Range<usize>, &'t LowRank)>,
    ) -> Result<Option<Self>> {
        let (first, second) = linear.weight.dims2()?;
        let (inner, outer) = match linear.layout {
            WeightLayout::OutIn => (second, first),
            WeightLayout::InOut => (first, second),
        };
        let mut weight = Values::of(&linear.weight)?;
        for (outputs, change) in changes {
            let is_tracked = change.a.track_op() || change.b.track_op();
            if is_tracked || change.dropout.is_some() || linear.layout == WeightLayout::InOut {
                return Ok(None);
            }
            let rank = change.a.dim(0)?;
            let (a, b) = (change.a.contiguous()?, change.b.contiguous()?);
            let (a, b) = (Values::of(&a)?, Values::of(&b)?);
            let mut values = weight.to_vec();
            add_product(
                Target::new(&mut values[outputs.start * inner..], inner),
                change.scale,
                Matrix::new(&b, outputs.len(), rank),
                Matrix::new(&a, rank, inner),
            );
            weight = Values::Owned(values);
        }
        Ok(Some(Self {
            weight,
            bias: linear.bias.as_ref().map(Values::of).transpose()?,
            layout: linear.layout,
            inner,
            outer,
        }))
    }

    /// The map `[D, 3, p, p]` of every patch: a convolution whose stride is its kernel.
    pub(super) fn of_patches(weight: &'t Tensor) -> Result<Self> {
        let (outer, channels, height, width) = weight.dims4()?;
        Ok(Self {
            weight: Values::of(weight)?,
            bias: None,
            layout: WeightLayout::OutIn,
            inner: channels * height * width,
            outer,
        })
    }

    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    pub(super) fn outer(&self) -> usize {
        self.outer
    }

    /// `[in, out]`.
    fn matrix(&self) -> Matrix<'_> {
        match self.layout {
            WeightLayout::OutIn => Matrix::new(&self.weight, self.outer, self.inner).t(),
            WeightLayout::InOut => Matrix::new(&self.weight, self.inner, self.outer),
        }
    }

    /// `x W` without the bias, for `rows` adjacent rows.
    pub(super) fn set(&self, x: &[f32], rows: usize, out: &mut [f32]) {
        let x = Matrix::new(x, rows, self.inner);
        set_product(Target::new(out, self.outer), x, self.matrix());
    }

    /// Adds `x W` without the bias to rows that begin `stride` apart.
    pub(super) fn add(&self, x: &[f32], rows: usize, out: &mut [f32], stride: usize) {
        let x = Matrix::new(x, rows, self.inner);
        add_product(Target::new(out, stride), 1.0, x, self.matrix());
    }
}

/// A LayerNorm.
pub(super) struct Norm<'t> {
    pub(super) weight: Values<'t>,
    pub(super) bias: Values<'t>,
    pub(super) eps: f32,
}

impl<'t> Norm<'t> {
    pub(super) fn of(norm: &'t LayerNorm) -> Result<Self> {
        Ok(Self {
            weight: Values::of(&norm.weight)?,
            bias: Values::of(&norm.bias)?,
            eps: norm.eps,
        })
    }
}

/// The feed-forward half of a block.
pub(super) enum Hidden<'t> {
    Plain {
        up: Map<'t>,
        activation: Activation,
    },
    SwiGlu {
        gate: Map<'t>,
        up: Map<'t>,
        norm: Norm<'t>,
    },
}

impl Hidden<'_> {
    /// Width of the hidden layer.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Plain { up, .. } | Self::SwiGlu { up, .. } => up.outer(),
        }
    }
}

/// One block.
pub(super) struct Layer<'t> {
    pub(super) ln_1: Norm<'t>,
    /// To queries, keys and values, one after the other.
    pub(super) packed: Map<'t>,
    pub(super) inner_norm: Option<Norm<'t>>,
    pub(super) out: Map<'t>,
    pub(super) ln_2: Norm<'t>,
    pub(super) hidden: Hidden<'t>,
    pub(super) down: Map<'t>,
}

impl<'t> Layer<'t> {
    /// None if a change of a weight needs the graph.
    pub(super) fn of(block: &'t Block) -> Result<Option<Self>> {
        let Packing::Packed { map, low_rank, .. } = &block.packing else {
            return Ok(None);
        };
        let third = map.weight.dim(0)? / 3;
        let changes = low_rank.iter().enumerate().filter_map(|(part, change)| {
            Some((part * third..(part + 1) * third, change.as_ref()?))
        });
        let packed = Map::changed(map, changes)?;
        let (hidden, down) = match &block.mlp {
            Mlp::Plain {
                up,
                activation,
                down,
            } => {
                let activation = *activation;
                let up = Map::of(up)?;
                (up.map(|up| Hidden::Plain { up, activation }), down)
            }
            Mlp::SwiGlu {
                gate,
                up,
                norm,
                down,
            } => {
                let (gate, up, norm) = (Map::of(gate)?, Map::of(up)?, Norm::of(norm)?);
                let maps = gate.zip(up);
                (
                    maps.map(|(gate, up)| Hidden::SwiGlu { gate, up, norm }),
                    down,
                )
            }
        };
        let (out, down) = (Map::of(&block.out)?, Map::of(down)?);
        let (Some(packed), Some(out), Some(hidden), Some(down)) = (packed, out, hidden, down)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            ln_1: Norm::of(&block.ln_1)?,
            packed,
            inner_norm: block.inner_norm.as_ref().map(Norm::of).transpose()?,
            out,
            ln_2: Norm::of(&block.ln_2)?,
            hidden,
            down,
        }))
    }
}
