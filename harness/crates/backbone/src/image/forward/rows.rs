//! Row by row work of a block, on what the towers share.

use super::weights::Norm;
use crate::dims::Activation;
use crate::kernels::{self, add_scaled, moments, vectorised};
use crate::ops::math::{gelu, quick_gelu, silu};

#[inline(always)]
fn normalise_row(norm: &Norm<'_>, row: &mut [f32]) {
    let (mean, scale) = moments(row, norm.eps);
    let weights = norm.weight.iter().zip(&norm.bias[..]);
    for (x, (w, b)) in row.iter_mut().zip(weights) {
        *x = (*x - mean) * scale * w + b;
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
    vectorised(
        #[inline(always)]
        || {
            for (x, out) in x.chunks_mut(stride).zip(out.chunks_exact_mut(width)) {
                let x = &mut x[..width];
                if let Some(pending) = pending {
                    add_scaled(x, 1.0, pending);
                }
                out.copy_from_slice(x);
                normalise_row(norm, out);
            }
        },
    );
}

/// Normalises adjacent rows in place.
pub(super) fn normalise(norm: &Norm<'_>, rows: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(norm.weight.len()) {
                normalise_row(norm, row);
            }
        },
    );
}

/// Adds a bias to adjacent rows.
pub(super) fn add_bias(bias: &[f32], rows: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                add_scaled(row, 1.0, bias);
            }
        },
    );
}

/// Adds a bias to adjacent rows, if there is one, and applies the activation.
pub(super) fn activate(activation: Activation, bias: Option<&[f32]>, rows: &mut [f32]) {
    if let Some(bias) = bias {
        add_bias(bias, rows);
    }
    vectorised(
        #[inline(always)]
        || match activation {
            Activation::QuickGelu => rows.iter_mut().for_each(|x| *x = quick_gelu(*x)),
            Activation::Gelu => rows.iter_mut().for_each(|x| *x = gelu(*x)),
        },
    );
}

/// `silu(gate) * value` of each element, into `gate`.
pub(super) fn swiglu(gate: &mut [f32], value: &[f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (g, v) in gate.iter_mut().zip(value) {
                *g = silu(*g) * v;
            }
        },
    );
}

/// Softmax of adjacent rows, in place.
pub(super) fn softmax(length: usize, rows: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(length) {
                kernels::softmax(&mut [], row);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_covers_every_length() {
        for length in 1..70 {
            let values: Vec<f32> = (0..length).map(|i| (i * 7 % 11) as f32 - 4.0).collect();
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
