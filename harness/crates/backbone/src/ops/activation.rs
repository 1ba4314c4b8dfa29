//! Nonlinearities of the MLPs.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::math::{QUICK, exp, gelu, normal_cdf, quick_gelu, sigmoid, silu};
use super::view::{slice, tensor, with_values};
use crate::dims::Activation;

/// Applies an activation elementwise.
pub(crate) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Curve(activation))
}

/// `silu(gate) * value`, elementwise.
pub(crate) fn swiglu(gate: &Tensor, value: &Tensor) -> Result<Tensor> {
    gate.contiguous()?.apply_op2(&value.contiguous()?, Gated)
}

struct Curve(Activation);

impl CustomOp1 for Curve {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, lx, "activation")?;
        let y = match self.0 {
            Activation::QuickGelu => x.iter().copied().map(quick_gelu).collect(),
            Activation::Gelu => x.iter().copied().map(gelu).collect(),
        };
        Ok((CpuStorage::F32(y), lx.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_values(x, "activation", |x| {
            with_values(grad, "activation", |grad| {
                let pairs = x.iter().zip(grad);
                match self.0 {
                    Activation::QuickGelu => pairs
                        .map(|(&x, g)| {
                            let s = sigmoid(QUICK * x);
                            g * (s + QUICK * x * s * (1.0 - s))
                        })
                        .collect::<Vec<_>>(),
                    Activation::Gelu => {
                        // 1 / sqrt(2 pi)
                        const DENSITY: f32 = 0.398_942_3;
                        pairs
                            .map(|(&x, g)| g * (normal_cdf(x) + x * DENSITY * exp(-0.5 * x * x)))
                            .collect()
                    }
                }
            })
        })??;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

struct Gated;

impl CustomOp2 for Gated {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(
        &self,
        gate: &CpuStorage,
        lg: &Layout,
        value: &CpuStorage,
        lv: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gate, value) = (slice(gate, lg, "swiglu")?, slice(value, lv, "swiglu")?);
        if gate.len() != value.len() {
            candle_core::bail!("swiglu: gate {:?} and value {:?}", lg.dims(), lv.dims());
        }
        let y = gate.iter().zip(value).map(|(&g, v)| silu(g) * v).collect();
        Ok((CpuStorage::F32(y), lg.shape().clone()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        value: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut d_gate = vec![0f32; gate.elem_count()];
        let mut d_value = vec![0f32; gate.elem_count()];
        with_values(gate, "swiglu", |gate| {
            with_values(value, "swiglu", |value| {
                with_values(grad, "swiglu", |grad| {
                    let inputs = gate.iter().zip(value).zip(grad);
                    for (((&g, v), d), (dg, dv)) in
                        inputs.zip(d_gate.iter_mut().zip(d_value.iter_mut()))
                    {
                        let s = sigmoid(g);
                        *dg = d * v * s * (1.0 + g * (1.0 - s));
                        *dv = d * g * s;
                    }
                })
            })
        })???;
        Ok((
            Some(tensor(d_gate, gate.shape())?),
            Some(tensor(d_value, value.shape())?),
        ))
    }
}
