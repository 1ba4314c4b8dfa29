//! Elementwise work and reductions, row by row, compiled for the vector instructions the machine
//! has. Nothing here is fused into one rounding, so that all of them give the same bits.

use pulp::Arch;

use super::weights::Norm;
use crate::dims::Activation;
use crate::ops::math::{erf, exp, sigmoid};

/// Slope of the sigmoid in QuickGELU.
const QUICK: f32 = 1.702;
/// Running totals of a sum: what the widest vectors hold, twice.
const LANES: usize = 16;

/// Sum whose order depends on the length alone.
#[inline(always)]
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut totals = [0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    for (total, value) in totals.iter_mut().zip(chunks.remainder()) {
        *total += f(*value);
    }
    for chunk in chunks {
        for (total, value) in totals.iter_mut().zip(chunk) {
            *total += f(*value);
        }
    }
    totals.iter().sum()
}

#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let chunks = values.chunks_exact(LANES);
    for (most, value) in most.iter_mut().zip(chunks.remainder()) {
        *most = larger(*value, *most);
    }
    for chunk in chunks {
        for (most, value) in most.iter_mut().zip(chunk) {
            *most = larger(*value, *most);
        }
    }
    most.into_iter().fold(f32::NEG_INFINITY, larger)
}

#[inline(always)]
fn normalise_row(norm: &Norm<'_>, x: &[f32], out: &mut [f32]) {
    let width = x.len() as f32;
    let mean = sum(x, |v| v) / width;
    let variance = sum(x, |v| (v - mean) * (v - mean)) / width;
    let scale = 1.0 / (variance + norm.eps).sqrt();
    for (((o, v), w), b) in out
        .iter_mut()
        .zip(x)
        .zip(&norm.weight[..])
        .zip(&norm.bias[..])
    {
        *o = (v - mean) * scale * w + b;
    }
}

/// Adds `pending` to rows of `x` that begin `stride` apart, and normalises them into the adjacent
/// rows of `out`.
pub(super) fn add_and_normalise(
    norm: &Norm<'_>,
    pending: Option<&[f32]>,
    x: &mut [f32],
    stride: usize,
    out: &mut [f32],
) {
    let width = norm.weight.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (x, out) in x.chunks_mut(stride).zip(out.chunks_exact_mut(width)) {
                let x = &mut x[..width];
                if let Some(pending) = pending {
                    x.iter_mut().zip(pending).for_each(|(x, p)| *x += p);
                }
                normalise_row(norm, x, out);
            }
        },
    );
}

/// Normalises adjacent rows in place; `spare` holds a row.
pub(super) fn normalise(norm: &Norm<'_>, rows: &mut [f32], spare: &mut [f32]) {
    let width = norm.weight.len();
    let spare = &mut spare[..width];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(width) {
                spare.copy_from_slice(row);
                normalise_row(norm, spare, row);
            }
        },
    );
}

/// Adds a bias to adjacent rows.
pub(super) fn add_bias(bias: &[f32], rows: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
            }
        },
    );
}

/// The activation of adjacent rows, in place.
pub(super) fn activate(activation: Activation, rows: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || match activation {
            Activation::QuickGelu => rows.iter_mut().for_each(|x| *x *= sigmoid(QUICK * *x)),
            Activation::Gelu => rows.iter_mut().for_each(|x| {
                *x *= 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
            }),
        },
    );
}

/// `silu(gate) * value` of each element, into `gate`.
pub(super) fn swiglu(gate: &mut [f32], value: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (g, v) in gate.iter_mut().zip(value) {
                *g = *g * sigmoid(*g) * v;
            }
        },
    );
}

/// Softmax of adjacent rows, in place.
pub(super) fn softmax(length: usize, rows: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(length) {
                let most = largest(row);
                row.iter_mut().for_each(|v| *v = exp(*v - most));
                let total = 1.0 / sum(row, |v| v);
                row.iter_mut().for_each(|v| *v *= total);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_softmax_cover_every_length() {
        for length in 1..70 {
            let values: Vec<f32> = (0..length).map(|i| (i * 7 % 11) as f32 - 4.0).collect();
            assert_eq!(sum(&values, |v| v), values.iter().sum::<f32>());
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(largest(&values), most);
            let mut row = values.clone();
            softmax(length, &mut row);
            let total: f64 = values.iter().map(|v| f64::from(*v).exp()).sum();
            for (found, value) in row.iter().zip(&values) {
                let expected = f64::from(*value).exp() / total;
                assert!((f64::from(*found) - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_value_that_is_no_number_stays_visible() {
        let mut row = [1.0, f32::NAN, 2.0];
        softmax(3, &mut row);
        assert!(row.iter().all(|v| v.is_nan()));
    }
}
