//! The 8-bit resampling of Pillow 13, bit for bit.
//!
//! Rows and columns are two passes, rounded to 8 bits between; weights are fixed-point numbers of 22
//! bits (`Resample.c` of Pillow). Libraries that round weights to fewer bits differ by a level, which
//! alpha near zero turns into any number of levels.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Bits after the point of a weight.
const BITS: u32 = 32 - 8 - 2;

/// How pixels between those of the image are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    Nearest,
    Box,
    Bilinear,
    Hamming,
    /// Keys' cubic with a = -0.5.
    Bicubic,
    /// Windowed sinc of three lobes.
    Lanczos,
}

impl Filter {
    /// How far it reaches to either side, in pixels of the smaller image.
    fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        match self {
            Self::Nearest => 0.0,
            Self::Box => f64::from(x > -0.5 && x <= 0.5),
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Hamming if x == 0.0 => 1.0,
            Self::Hamming if x.abs() >= 1.0 => 0.0,
            Self::Hamming => {
                let x = x.abs() * PI;
                x.sin() / x * (0.54 + 0.46 * x.cos())
            }
            Self::Bicubic => match x.abs() {
                x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
                x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
                _ => 0.0,
            },
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    match x {
        0.0 => 1.0,
        _ => (x * PI).sin() / (x * PI),
    }
}

/// Source pixels of one target pixel: the first, and a weight for each.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

/// Where each target pixel along one side begins in the source, and the weights from there on, which
/// add up to 1.
pub(crate) fn weights(from: usize, to: usize, filter: Filter) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = filter.support() * stretch;
    let window = |target: usize| {
        let centre = (target as f64 + 0.5) * scale;
        // Both are cut as C does, towards zero.
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end)
            .map(|at| filter.weight((at as f64 - centre + 0.5) * (1.0 / stretch)))
            .collect();
        let total: f64 = weights.iter().sum();
        let share = |weight: &f64| {
            if total == 0.0 {
                *weight
            } else {
                weight / total
            }
        };
        (first, weights.iter().map(share).collect())
    };
    (0..to).map(window).collect()
}

/// The windows along one side, in fixed-point numbers.
fn windows(from: usize, to: usize, filter: Filter) -> Vec<Window> {
    let fixed = |share: &f64| {
        let scaled = share * f64::from(1 << BITS);
        (scaled + 0.5f64.copysign(scaled)) as i32
    };
    let windows = weights(from, to, filter).into_iter();
    let windows = windows.map(|(first, weights)| Window {
        first,
        weights: weights.iter().map(fixed).collect(),
    });
    windows.collect()
}

/// Rounds a weighted sum of levels that started at half a level.
fn level(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

/// Bytes of a pixel.
const CHANNELS: usize = 3;

/// Resizes interleaved RGB pixels from `from` to `to`, each width and height.
pub(crate) fn resize(pixels: &[u8], from: (u32, u32), to: (u32, u32), filter: Filter) -> Vec<u8> {
    let side = |side: u32| side as usize;
    let (from, to) = ((side(from.0), side(from.1)), (side(to.0), side(to.1)));
    if from == to {
        return pixels.to_vec();
    }
    if filter == Filter::Nearest {
        return nearest(pixels, from, to);
    }
    let by_rows = |pixels: Vec<u8>| match from.0 == to.0 {
        true => pixels,
        false => resize_rows(&pixels, from.0, &windows(from.0, to.0, filter)),
    };
    let by_columns = |pixels: Vec<u8>, width: usize| match from.1 == to.1 {
        true => pixels,
        false => resize_columns(&pixels, width * CHANNELS, &windows(from.1, to.1, filter)),
    };
    match columns_first(from, to) {
        true => by_rows(by_columns(pixels.to_vec(), from.0)),
        false => by_columns(by_rows(pixels.to_vec()), to.0),
    }
}

/// Whether columns come first: since version 13 they do in Pillow if the image loses more than twice
/// as many rows as columns.
fn columns_first(from: (usize, usize), to: (usize, usize)) -> bool {
    let lost = |from: usize, to: usize| from as i64 - to as i64;
    let (columns, rows) = (lost(from.0, to.0), lost(from.1, to.1));
    rows > 0 && rows > 2 * columns
}

fn resize_rows(pixels: &[u8], width: usize, windows: &[Window]) -> Vec<u8> {
    let rows = pixels.chunks_exact(width * CHANNELS);
    let mut out = Vec::with_capacity(rows.len() * windows.len() * CHANNELS);
    for row in rows {
        let (row, _) = row.as_chunks::<CHANNELS>();
        for window in windows {
            let mut sums = [HALF; CHANNELS];
            for (pixel, weight) in row[window.first..].iter().zip(&window.weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*value) * weight;
                }
            }
            out.extend(sums.map(level));
        }
    }
    out
}

fn resize_columns(pixels: &[u8], stride: usize, windows: &[Window]) -> Vec<u8> {
    let mut out = Vec::with_capacity(windows.len() * stride);
    let mut sums = vec![HALF; stride];
    for window in windows {
        sums.fill(HALF);
        let rows = pixels[window.first * stride..].chunks_exact(stride);
        for (row, weight) in rows.zip(&window.weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        out.extend(sums.iter().map(|sum| level(*sum)));
    }
    out
}

/// The pixel under the centre of the new one.
fn nearest(pixels: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    // PIL adds the step up, whose rounding decides ties.
    let sources = |from: usize, to: usize| -> Vec<usize> {
        let step = from as f64 / to as f64;
        let mut at = 0.5 * step;
        let next = || {
            let source = (at as usize).min(from - 1);
            at += step;
            source
        };
        std::iter::repeat_with(next).take(to).collect()
    };
    let (pixels, _) = pixels.as_chunks::<CHANNELS>();
    let columns = sources(from.0, to.0);
    let mut out = Vec::with_capacity(to.0 * to.1 * CHANNELS);
    for row in sources(from.1, to.1) {
        for column in &columns {
            out.extend(pixels[row * from.0 + column]);
        }
    }
    out
}
