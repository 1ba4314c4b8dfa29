//! Kernels on rows and on single values.

use candle_core::{Result, Tensor};

use super::launch::{Blocks, Number, launch};
use crate::dims::Activation;
use crate::ops::LayerNorm;

/// Values of a tensor that run through a kernel one by one.
fn by_value(x: &Tensor) -> (usize, Blocks) {
    (x.elem_count(), Blocks::Values(x.elem_count()))
}

/// LayerNorm of rows `[R, D]`.
pub(in crate::device) fn norm(norm: &LayerNorm, x: &Tensor) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let numbers = [Number::Int(width), Number::Float(f64::from(norm.eps))];
    let inputs = [x, &norm.weight, &norm.bias];
    let [y] = launch(
        "norm",
        &inputs,
        [x.shape().clone()],
        &numbers,
        Blocks::Rows(rows),
    )?;
    Ok(y)
}

/// `rest` and the gradient of LayerNorm's input.
pub(in crate::device) fn norm_pull(
    norm: &LayerNorm,
    x: &Tensor,
    dy: &Tensor,
    rest: &Tensor,
) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let numbers = [Number::Int(width), Number::Float(f64::from(norm.eps))];
    let inputs = [x, &norm.weight, dy, rest];
    let [dx] = launch(
        "norm_pull",
        &inputs,
        [x.shape().clone()],
        &numbers,
        Blocks::Rows(rows),
    )?;
    Ok(dx)
}

/// Softmax of scores `[B, S, L]`; if causal, row s sees the first L - S + s + 1.
pub(in crate::device) fn softmax(scores: &Tensor, causal: bool) -> Result<Tensor> {
    let (batch, length, columns) = scores.dims3()?;
    let numbers = [columns, length, columns - length, usize::from(causal)].map(Number::Int);
    let blocks = Blocks::Rows(batch * length);
    let [weights] = launch(
        "softmax",
        &[scores],
        [scores.shape().clone()],
        &numbers,
        blocks,
    )?;
    Ok(weights)
}

/// The gradient of scores from their softmax and the gradient of that.
pub(in crate::device) fn softmax_pull(weights: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let (batch, length, columns) = weights.dims3()?;
    let shape = weights.shape().clone();
    let blocks = Blocks::Rows(batch * length);
    let numbers = [Number::Int(columns)];
    let [scores] = launch("softmax_pull", &[weights, grad], [shape], &numbers, blocks)?;
    Ok(scores)
}

/// `x + bias` for rows `[R, D]`.
pub(in crate::device) fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (count, blocks) = by_value(x);
    let numbers = [count, bias.elem_count()].map(Number::Int);
    let [y] = launch(
        "add_bias",
        &[x, bias],
        [x.shape().clone()],
        &numbers,
        blocks,
    )?;
    Ok(y)
}

/// `rest + x + bias` for rows `[R, D]`.
pub(in crate::device) fn add_bias_and_rest(
    x: &Tensor,
    bias: &Tensor,
    rest: &Tensor,
) -> Result<Tensor> {
    let (count, blocks) = by_value(x);
    let numbers = [count, bias.elem_count()].map(Number::Int);
    let inputs = [x, bias, rest];
    let [y] = launch(
        "add_bias_and_rest",
        &inputs,
        [x.shape().clone()],
        &numbers,
        blocks,
    )?;
    Ok(y)
}

fn kind(activation: Activation) -> usize {
    match activation {
        Activation::QuickGelu => 0,
        Activation::Gelu => 1,
    }
}

/// The activation of every value.
pub(in crate::device) fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    let (count, blocks) = by_value(x);
    let numbers = [count, kind(activation)].map(Number::Int);
    let [y] = launch("activate", &[x], [x.shape().clone()], &numbers, blocks)?;
    Ok(y)
}

/// The gradient of the activation's argument.
pub(in crate::device) fn activate_pull(
    activation: Activation,
    x: &Tensor,
    dy: &Tensor,
) -> Result<Tensor> {
    let (count, blocks) = by_value(x);
    let numbers = [count, kind(activation)].map(Number::Int);
    let [dx] = launch(
        "activate_pull",
        &[x, dy],
        [x.shape().clone()],
        &numbers,
        blocks,
    )?;
    Ok(dx)
}

/// `silu(gate) * up`.
pub(in crate::device) fn gated(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let (count, blocks) = by_value(gate);
    let shape = gate.shape().clone();
    let [y] = launch("gated", &[gate, up], [shape], &[Number::Int(count)], blocks)?;
    Ok(y)
}

/// The gradients of gate and up.
pub(in crate::device) fn gated_pull(
    gate: &Tensor,
    up: &Tensor,
    dy: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let (count, blocks) = by_value(gate);
    let shapes = [gate.shape().clone(), gate.shape().clone()];
    let numbers = [Number::Int(count)];
    let [d_gate, d_up] = launch("gated_pull", &[gate, up, dy], shapes, &numbers, blocks)?;
    Ok((d_gate, d_up))
}
