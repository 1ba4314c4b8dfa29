//! A low-rank change of a linear map as one differentiable operation.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::dropout::Dropout;
use super::view::{slice, tensor, with_values};

/// `scale * B A drop(x)`, added to what a linear map gives (LoRA, Hu et al. 2021).
#[derive(Debug, Clone)]
pub(crate) struct LowRank {
    /// `[r, in]`.
    pub(crate) a: Tensor,
    /// `[out, r]`.
    pub(crate) b: Tensor,
    pub(crate) scale: f32,
    /// Of the input; none when a module is only used.
    pub(crate) dropout: Option<Dropout>,
}

impl LowRank {
    /// `[.., in] -> [.., out]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let op = Product {
            scale: self.scale,
            dropout: self.dropout,
        };
        x.contiguous()?
            .apply_op3(&self.a.contiguous()?, &self.b.contiguous()?, op)
    }
}

struct Product {
    scale: f32,
    dropout: Option<Dropout>,
}

impl Product {
    /// Zeroes what dropout takes; its own transpose, so gradients pass it likewise.
    fn drop(&self, values: &[f32]) -> Vec<f32> {
        let mut kept = values.to_vec();
        if let Some(dropout) = self.dropout {
            dropout.apply(&mut kept);
        }
        kept
    }

    fn dropped(&self, x: &Tensor, inner: usize) -> Result<Tensor> {
        let kept = with_values(x, "low-rank", |values| self.drop(values))?;
        let rows = kept.len() / inner.max(1);
        tensor(kept, &Shape::from((rows, inner)))
    }
}

impl CustomOp3 for Product {
    fn name(&self) -> &'static str {
        "low-rank"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        a: &CpuStorage,
        la: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rank, inner), (outer, same)) = (la.shape().dims2()?, lb.shape().dims2()?);
        let mut dims = lx.dims().to_vec();
        match dims.last_mut() {
            Some(last) if *last == inner && same == rank => *last = outer,
            _ => candle_core::bail!(
                "low-rank: {:?} and {:?} do not apply to {:?}",
                la.dims(),
                lb.dims(),
                lx.dims()
            ),
        }
        let kept = self.drop(slice(x, lx, "low-rank")?);
        let rows = kept.len() / inner.max(1);
        let flat = Layout::contiguous((rows, inner));
        let narrow =
            CpuStorage::F32(kept).matmul(a, (1, rows, rank, inner), &flat, &la.transpose(0, 1)?)?;
        let flat = Layout::contiguous((rows, rank));
        let mut y = narrow.matmul(b, (1, rows, outer, rank), &flat, &lb.transpose(0, 1)?)?;
        if let CpuStorage::F32(values) = &mut y {
            values.iter_mut().for_each(|v| *v *= self.scale);
        }
        Ok((y, Shape::from(dims)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((_, inner), (outer, _)) = (a.dims2()?, b.dims2()?);
        let (a_values, b_values) = (a.detach(), b.detach());
        let grad = (grad.contiguous()?.reshape(((), outer))? * f64::from(self.scale))?;
        let narrow = grad.matmul(&b_values)?;
        let dx = if x.track_op() {
            let dx = self.dropped(&narrow.matmul(&a_values)?, inner)?;
            Some(dx.reshape(x.shape())?)
        } else {
            None
        };
        let kept = self.dropped(&x.detach(), inner)?;
        let da = match a.track_op() {
            true => Some(narrow.t()?.matmul(&kept)?),
            false => None,
        };
        let db = match b.track_op() {
            true => Some(grad.t()?.matmul(&kept.matmul(&a_values.t()?)?)?),
            false => None,
        };
        Ok((dx, da, db))
    }
}
