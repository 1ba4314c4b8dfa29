//! Affine maps whose backward pass computes only the gradients somebody asked for.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::low_rank::LowRank;
use super::view::{slice, with_values};

/// How the weight of a linear map is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeightLayout {
    /// `[out, in]`, applied as `x W^T`.
    OutIn,
    /// `[in, out]`, applied as `x W`.
    InOut,
}

/// `x W^T + b` or `x W + b` over the last dimension of `x`.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Option<Tensor>,
    pub(crate) layout: WeightLayout,
    /// A change of the weight that an edit asks for.
    pub(crate) low_rank: Option<LowRank>,
}

impl Linear {
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self {
            weight,
            bias,
            layout: WeightLayout::OutIn,
            low_rank: None,
        }
    }

    /// `[.., in] -> [.., out]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.contiguous()?;
        let op = Affine(self.layout);
        let y = match &self.bias {
            Some(bias) => x.apply_op3(&self.weight, bias, op),
            None => x.apply_op2(&self.weight, op),
        }?;
        match &self.low_rank {
            Some(change) => y + change.forward(&x)?,
            None => Ok(y),
        }
    }
}

struct Affine(WeightLayout);

impl Affine {
    fn product(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let lw = match self.0 {
            WeightLayout::OutIn => lw.transpose(0, 1)?,
            WeightLayout::InOut => lw.clone(),
        };
        let (inner, outer) = lw.shape().dims2()?;
        let mut dims = lx.dims().to_vec();
        let rows = lx.shape().elem_count() / inner.max(1);
        match dims.last_mut() {
            Some(last) if *last == inner => *last = outer,
            _ => candle_core::bail!(
                "linear: expected rows of {inner}, got shape {:?}",
                lx.dims()
            ),
        }
        let flat = Layout::contiguous_with_offset((rows, inner), lx.start_offset());
        let y = x.matmul(w, (1, rows, outer, inner), &flat, &lw)?;
        Ok((y, Shape::from(dims)))
    }

    /// Gradients of `x` and `w`, each only where tracked.
    fn gradients(
        &self,
        x: &Tensor,
        w: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (inner, outer) = match self.0 {
            WeightLayout::OutIn => {
                let (o, i) = w.dims2()?;
                (i, o)
            }
            WeightLayout::InOut => w.dims2()?,
        };
        let grad = grad.contiguous()?.reshape(((), outer))?;
        let dx = if x.track_op() {
            let w = w.detach();
            let dx = match self.0 {
                WeightLayout::OutIn => grad.matmul(&w)?,
                WeightLayout::InOut => grad.matmul(&w.t()?)?,
            };
            Some(dx.reshape(x.shape())?)
        } else {
            None
        };
        let dw = if w.track_op() {
            let x = x.detach().reshape(((), inner))?;
            Some(match self.0 {
                WeightLayout::OutIn => grad.t()?.matmul(&x)?,
                WeightLayout::InOut => x.t()?.matmul(&grad)?,
            })
        } else {
            None
        };
        Ok((dx, dw))
    }
}

impl CustomOp2 for Affine {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.product(x, lx, w, lw)
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.gradients(x, w, grad)
    }
}

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "linear with bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (mut y, shape) = self.product(x, lx, w, lw)?;
        let bias = slice(b, lb, "linear")?;
        if let CpuStorage::F32(values) = &mut y {
            for row in values.chunks_exact_mut(bias.len()) {
                for (y, b) in row.iter_mut().zip(bias) {
                    *y += b;
                }
            }
        }
        Ok((y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = self.gradients(x, w, grad)?;
        let db = if b.track_op() {
            Some(column_sums(grad, b.shape())?)
        } else {
            None
        };
        Ok((dx, dw, db))
    }
}

/// Sum over all but the last dimension.
fn column_sums(grad: &Tensor, shape: &Shape) -> Result<Tensor> {
    let mut totals = vec![0f32; shape.elem_count()];
    with_values(grad, "linear", |values| {
        for row in values.chunks_exact(totals.len()) {
            for (t, g) in totals.iter_mut().zip(row) {
                *t += g;
            }
        }
    })?;
    super::view::tensor(totals, shape)
}
