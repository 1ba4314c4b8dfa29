//! Elementwise work and reductions, compiled for the vector instructions the machine has.

use crate::dims::Activation;
use crate::ops::math::{erf, exp, sigmoid};

/// Running totals of a sum; its order depends on the length alone.
const LANES: usize = 16;
/// Slope of the sigmoid in QuickGELU.
const QUICK: f32 = 1.702;

/// Runs `f` compiled for the widest vectors the machine has.
#[inline(always)]
pub(super) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    struct Call<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Call<F> {
        type Output = R;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _simd: S) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Call(f))
}

#[inline(always)]
fn total(totals: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    let mut totals = totals;
    while width > 0 {
        for i in 0..width {
            totals[i] += totals[i + width];
        }
        width /= 2;
    }
    totals[0]
}

#[inline(always)]
fn reduce(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut totals = [0f32; LANES];
    let (a_parts, a_rest) = a.as_chunks::<LANES>();
    let (b_parts, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_parts.iter().zip(b_parts) {
        for i in 0..LANES {
            totals[i] += f(a[i], b[i]);
        }
    }
    for (i, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        totals[i] += f(*a, *b);
    }
    total(totals)
}

/// Sum of products.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    reduce(a, b, |a, b| a * b)
}

/// `y += scale * x`.
#[inline(always)]
pub(super) fn add_scaled(y: &mut [f32], scale: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// `y += x`.
pub(super) fn add(y: &mut [f32], x: &[f32]) {
    vectorised(
        #[inline(always)]
        || add_scaled(y, 1.0, x),
    );
}

/// Normalises rows of `x`; keeps the normalised rows and their reciprocal deviations, and writes
/// `normal * gain + bias` to `y`.
pub(super) fn normalise(
    x: &[f32],
    (gain, bias, eps): (&[f32], &[f32], f32),
    normal: &mut [f32],
    scales: &mut [f32],
    y: &mut [f32],
) {
    let width = gain.len();
    vectorised(
        #[inline(always)]
        || {
            let rows = x.chunks_exact(width).zip(scales);
            let outs = normal
                .chunks_exact_mut(width)
                .zip(y.chunks_exact_mut(width));
            for ((x, scale), (normal, y)) in rows.zip(outs) {
                let mean = reduce(x, x, |x, _| x) / width as f32;
                let variance = reduce(x, x, |x, _| (x - mean) * (x - mean)) / width as f32;
                *scale = 1.0 / (variance + eps).sqrt();
                for (n, x) in normal.iter_mut().zip(x) {
                    *n = (x - mean) * *scale;
                }
                scale_and_shift(normal, gain, bias, y);
            }
        },
    );
}

#[inline(always)]
fn scale_and_shift(normal: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32]) {
    let inputs = normal.iter().zip(gain).zip(bias);
    for (y, ((n, g), b)) in y.iter_mut().zip(inputs) {
        *y = n * g + b;
    }
}

/// `normal * gain + bias` for every row.
pub(super) fn affine(normal: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32]) {
    let width = gain.len();
    vectorised(
        #[inline(always)]
        || {
            for (n, y) in normal.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
                scale_and_shift(n, gain, bias, y);
            }
        },
    );
}

/// Adds to `dx` the gradient of what [`normalise`] read, given that of what it wrote:
/// with `h = dy * gain`, `scale * (h - mean(h) - normal * mean(h normal))`.
pub(super) fn pull_normalise(
    dy: &mut [f32],
    gain: &[f32],
    normal: &[f32],
    scales: &[f32],
    dx: &mut [f32],
) {
    let width = gain.len();
    vectorised(
        #[inline(always)]
        || {
            let inputs = normal.chunks_exact(width).zip(scales);
            let grads = dy.chunks_exact_mut(width).zip(dx.chunks_exact_mut(width));
            for ((normal, scale), (h, dx)) in inputs.zip(grads) {
                for (h, g) in h.iter_mut().zip(gain) {
                    *h *= g;
                }
                let average = reduce(h, h, |h, _| h) / width as f32;
                let along = dot(h, normal) / width as f32;
                for ((dx, h), n) in dx.iter_mut().zip(h.iter()).zip(normal) {
                    *dx += scale * (h - average - n * along);
                }
            }
        },
    );
}

#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The activation of every value.
pub(super) fn activate(activation: Activation, x: &[f32], y: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let pairs = y.iter_mut().zip(x);
            match activation {
                Activation::QuickGelu => {
                    pairs.for_each(|(y, &x)| *y = x * sigmoid(QUICK * x));
                }
                Activation::Gelu => pairs.for_each(|(y, &x)| *y = x * normal_cdf(x)),
            }
        },
    );
}

/// Multiplies gradients by the activation's slope at `x`.
pub(super) fn pull_activate(activation: Activation, x: &[f32], grad: &mut [f32]) {
    // 1 / sqrt(2 pi)
    const DENSITY: f32 = 0.398_942_3;
    vectorised(
        #[inline(always)]
        || {
            let pairs = grad.iter_mut().zip(x);
            match activation {
                Activation::QuickGelu => pairs.for_each(|(g, &x)| {
                    let s = sigmoid(QUICK * x);
                    *g *= s + QUICK * x * s * (1.0 - s);
                }),
                Activation::Gelu => pairs.for_each(|(g, &x)| {
                    *g *= normal_cdf(x) + x * DENSITY * exp(-0.5 * x * x);
                }),
            }
        },
    );
}

/// Adds the sum of all rows to `total`; rows begin `stride` apart.
pub(super) fn add_rows(rows: &[f32], stride: usize, total: &mut [f32]) {
    let width = total.len();
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks(stride) {
                add_scaled(total, 1.0, &row[..width]);
            }
        },
    );
}

/// Adds the sum over rows of `a * b` to `total`.
pub(super) fn add_row_products(a: &[f32], b: &[f32], total: &mut [f32]) {
    let width = total.len();
    vectorised(
        #[inline(always)]
        || {
            for (a, b) in a.chunks_exact(width).zip(b.chunks_exact(width)) {
                for ((t, a), b) in total.iter_mut().zip(a).zip(b) {
                    *t += a * b;
                }
            }
        },
    );
}

/// Softmax over two slices as if they were one.
#[inline(always)]
pub(super) fn softmax(past: &mut [f32], own: &mut [f32]) {
    let greatest = |m: f32, v: &f32| if *v > m { *v } else { m };
    let max = past.iter().fold(f32::NEG_INFINITY, greatest);
    let max = own.iter().fold(max, greatest);
    let mut sum = 0.0;
    for part in [&mut *past, &mut *own] {
        for v in part.iter_mut() {
            *v = exp(*v - max);
        }
        sum += reduce(part, part, |v, _| v);
    }
    let scale = 1.0 / sum;
    past.iter_mut().for_each(|v| *v *= scale);
    own.iter_mut().for_each(|v| *v *= scale);
}
