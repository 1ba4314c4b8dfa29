//! Kernels that lay out heads.

use candle_core::{Result, Shape, Tensor};

use super::launch::{Blocks, Number, launch};
use crate::device::rows::RowLayout;

/// The numbers that every kernel of this file takes first.
fn rows(layout: &RowLayout, heads: usize, head_dim: usize) -> Vec<Number> {
    let RowLayout {
        families,
        prompts,
        prefix,
        length,
    } = *layout;
    let numbers = [families, prompts, prefix, length, heads, head_dim];
    numbers.map(Number::Int).to_vec()
}

/// Packed rows `[R, 3 D]` to scaled queries `[F H C, S, d]`, and keys and values
/// `[F H C, P + S, d]`.
pub(in crate::device) fn split(
    packed: &Tensor,
    layout: &RowLayout,
    heads: usize,
) -> Result<[Tensor; 3]> {
    let head_dim = packed.dim(1)? / (3 * heads);
    let batch = layout.families * heads * layout.prompts;
    let whole = (batch, layout.prefix + layout.length, head_dim);
    let shapes = [
        Shape::from((batch, layout.length, head_dim)),
        Shape::from(whole),
        Shape::from(whole),
    ];
    let mut numbers = rows(layout, heads, head_dim);
    numbers.push(Number::Float(1.0 / (head_dim as f64).sqrt()));
    let values = Blocks::Values(whole.0 * whole.1 * whole.2);
    launch("split", &[packed], shapes, &numbers, values)
}

/// Heads `[F H C, S, d]` and those of the prefixes `[F H, P, d]` to rows `[R, D]`.
pub(in crate::device) fn join(
    own: &Tensor,
    first: Option<&Tensor>,
    layout: &RowLayout,
    heads: usize,
) -> Result<Tensor> {
    let head_dim = own.dim(2)?;
    let shape = Shape::from((layout.rows(), heads * head_dim));
    let count = shape.elem_count();
    let mut numbers = rows(layout, heads, head_dim);
    numbers.push(Number::Int(count));
    let inputs = [own, first.unwrap_or(own)];
    let [y] = launch("join", &inputs, [shape], &numbers, Blocks::Values(count))?;
    Ok(y)
}

/// Rows `[R, D]` to heads `[F H C, S, d]` and those of the prefixes `[F H, P, d]`, of which there is
/// one row where there is no prefix.
pub(in crate::device) fn part(y: &Tensor, layout: &RowLayout, heads: usize) -> Result<[Tensor; 2]> {
    let head_dim = y.dim(1)? / heads;
    let count = y.elem_count();
    let batch = layout.families * heads;
    let shapes = [
        Shape::from((batch * layout.prompts, layout.length, head_dim)),
        Shape::from((batch, layout.prefix.max(1), head_dim)),
    ];
    let mut numbers = rows(layout, heads, head_dim);
    numbers.push(Number::Int(count));
    launch("part", &[y], shapes, &numbers, Blocks::Values(count))
}

/// Gradients of queries, keys and values, and of those of the prefixes, to that of the packed rows.
pub(in crate::device) fn merge(
    [query, key, value]: &[Tensor; 3],
    first: Option<&[Tensor; 3]>,
    layout: &RowLayout,
    heads: usize,
) -> Result<Tensor> {
    let head_dim = query.dim(2)?;
    let shape = Shape::from((layout.rows(), 3 * heads * head_dim));
    let count = shape.elem_count();
    let mut numbers = rows(layout, heads, head_dim);
    numbers.push(Number::Int(count));
    numbers.push(Number::Float(1.0 / (head_dim as f64).sqrt()));
    let [first_query, first_key, first_value] = match first {
        Some([query, key, value]) => [query, key, value],
        None => [query, key, value],
    };
    let inputs = [query, key, value, first_query, first_key, first_value];
    let [packed] = launch("merge", &inputs, [shape], &numbers, Blocks::Values(count))?;
    Ok(packed)
}
