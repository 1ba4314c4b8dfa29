//! Elementwise work and reductions of both towers, compiled for the vector instructions the machine
//! has. Nothing here is fused into one rounding, so that all of them give the same bits.

use crate::dims::Activation;
use crate::ops::math::{QUICK, exp, gelu, normal_cdf, quick_gelu, sigmoid, silu};

/// Running totals of a sum; its order depends on the length alone.
const LANES: usize = 16;

/// Runs `f` compiled for the widest vectors the machine has.
#[inline(always)]
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
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
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    reduce(a, b, |a, b| a * b)
}

/// `y += scale * x`.
#[inline(always)]
pub(crate) fn add_scaled(y: &mut [f32], scale: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// `y += x`.
pub(crate) fn add(y: &mut [f32], x: &[f32]) {
    vectorised(
        #[inline(always)]
        || add_scaled(y, 1.0, x),
    );
}

/// Mean of a row and the reciprocal of its deviation.
#[inline(always)]
pub(crate) fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let width = x.len() as f32;
    let mean = reduce(x, x, |x, _| x) / width;
    let variance = reduce(x, x, |x, _| (x - mean) * (x - mean)) / width;
    (mean, 1.0 / (variance + eps).sqrt())
}

/// Normalises rows of `x`; keeps the normalised rows and their reciprocal deviations, and writes
/// `normal * gain + bias` to `y`.
pub(crate) fn normalise(
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
                let mean;
                (mean, *scale) = moments(x, eps);
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
pub(crate) fn affine(normal: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32]) {
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
pub(crate) fn pull_normalise(
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

/// The activation of every value.
pub(crate) fn activate(activation: Activation, x: &[f32], y: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let pairs = y.iter_mut().zip(x);
            match activation {
                Activation::QuickGelu => pairs.for_each(|(y, &x)| *y = quick_gelu(x)),
                Activation::Gelu => pairs.for_each(|(y, &x)| *y = gelu(x)),
            }
        },
    );
}

/// Multiplies gradients by the activation's slope at `x`.
pub(crate) fn pull_activate(activation: Activation, x: &[f32], grad: &mut [f32]) {
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

/// `silu(gate) * value` of each element.
pub(crate) fn swiglu(gate: &[f32], value: &[f32], product: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (p, (g, v)) in product.iter_mut().zip(gate.iter().zip(value)) {
                *p = silu(*g) * v;
            }
        },
    );
}

/// Gradients of gate and value, given in `d_gate` that of their [`swiglu`].
pub(crate) fn pull_swiglu(gate: &[f32], value: &[f32], d_gate: &mut [f32], d_value: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let inputs = gate.iter().zip(value);
            let grads = d_gate.iter_mut().zip(d_value.iter_mut());
            for ((g, v), (d_gate, d_value)) in inputs.zip(grads) {
                let (s, d) = (sigmoid(*g), *d_gate);
                *d_gate = d * v * s * (1.0 + g * (1.0 - s));
                *d_value = d * g * s;
            }
        },
    );
}

/// Adds the sum of all rows to `total`; rows begin `stride` apart.
pub(crate) fn add_rows(rows: &[f32], stride: usize, total: &mut [f32]) {
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
pub(crate) fn add_row_products(a: &[f32], b: &[f32], total: &mut [f32]) {
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

/// The largest value, whatever its place.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut most = [f32::NEG_INFINITY; LANES];
    let (parts, rest) = values.as_chunks::<LANES>();
    for part in parts {
        for i in 0..LANES {
            most[i] = larger(part[i], most[i]);
        }
    }
    for (most, value) in most.iter_mut().zip(rest) {
        *most = larger(*value, *most);
    }
    most.into_iter().fold(f32::NEG_INFINITY, larger)
}

/// Softmax over two slices as if they were one.
#[inline(always)]
pub(crate) fn softmax(past: &mut [f32], own: &mut [f32]) {
    let max = f32::max(largest(past), largest(own));
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
