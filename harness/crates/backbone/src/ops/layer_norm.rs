//! LayerNorm over the last dimension with its exact gradient.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::view::{slice, sum, tensor, with_values};

/// `(x - mean) / sqrt(var + eps) * weight + bias`, variance over n.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
    pub(crate) eps: f32,
}

impl LayerNorm {
    /// Same shape as `x`; its last dimension must be the length of the weight.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let op = Normalise {
            eps: self.eps,
            moments: OnceLock::new(),
        };
        x.contiguous()?.apply_op3(&self.weight, &self.bias, op)
    }
}

struct Normalise {
    eps: f32,
    /// Mean and reciprocal deviation of each row, kept for the backward pass.
    moments: OnceLock<Vec<(f32, f32)>>,
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight, bias) = (
            slice(x, lx, "layer-norm")?,
            slice(weight, lw, "layer-norm")?,
            slice(bias, lb, "layer-norm")?,
        );
        let width = weight.len();
        if lx.dims().last() != Some(&width) || bias.len() != width {
            candle_core::bail!("layer-norm: expected rows of {width}, got {:?}", lx.dims());
        }
        let mut y = vec![0f32; x.len()];
        let mut moments = Vec::with_capacity(x.len() / width);
        for (row, out) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let mean = sum(row.iter().copied()) / width as f32;
            let variance = sum(row.iter().map(|v| (v - mean) * (v - mean))) / width as f32;
            let scale = 1.0 / (variance + self.eps).sqrt();
            for (((o, v), w), b) in out.iter_mut().zip(row).zip(weight).zip(bias) {
                *o = (v - mean) * scale * w + b;
            }
            moments.push((mean, scale));
        }
        // A second forward pass of one op object cannot happen: `forward` makes a fresh one.
        let _ = self.moments.set(moments);
        Ok((CpuStorage::F32(y), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(moments) = self.moments.get() else {
            candle_core::bail!("layer-norm: backward before forward");
        };
        let width = weight.elem_count();
        let affine = weight.track_op() || bias.track_op();
        let (mut dw, mut db) = (vec![0f32; width], vec![0f32; width]);
        let mut dx = vec![0f32; x.elem_count()];
        with_values(x, "layer-norm", |x| {
            with_values(grad, "layer-norm", |grad| {
                with_values(weight, "layer-norm", |weight| {
                    let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
                    let out = dx.chunks_exact_mut(width).zip(moments);
                    for ((x, g), (dx, &(mean, scale))) in rows.zip(out) {
                        input_gradient(x, g, weight, mean, scale, dx);
                        if affine {
                            for (((x, g), dw), db) in x.iter().zip(g).zip(&mut dw).zip(&mut db) {
                                *dw += g * (x - mean) * scale;
                                *db += g;
                            }
                        }
                    }
                })
            })
        })???;
        let dx = x.track_op().then(|| tensor(dx, x.shape())).transpose()?;
        let dw = weight.track_op().then(|| tensor(dw, weight.shape()));
        let db = bias.track_op().then(|| tensor(db, bias.shape()));
        Ok((dx, dw.transpose()?, db.transpose()?))
    }
}

/// With `h = g * weight` and `n` the normalised row: `dx = scale * (h - mean(h) - n * mean(h n))`.
fn input_gradient(x: &[f32], g: &[f32], weight: &[f32], mean: f32, scale: f32, dx: &mut [f32]) {
    let width = x.len() as f32;
    for ((d, g), w) in dx.iter_mut().zip(g).zip(weight) {
        *d = g * w;
    }
    let average = sum(dx.iter().copied()) / width;
    let along = sum(dx.iter().zip(x).map(|(d, x)| d * (x - mean))) * scale / width;
    for (d, x) in dx.iter_mut().zip(x) {
        *d = scale * (*d - average - (x - mean) * scale * along);
    }
}
