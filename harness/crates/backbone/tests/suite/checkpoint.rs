//! Checkpoints with the names and shapes of published ones and random weights, the same on every
//! machine: a number depends on its tensor's name and its place alone.
//! `harness/fixtures/checkpoints/generate.py` makes the same numbers in Python.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::Deserialize;

/// A tensor, or the same tensor in every block.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Once(Vec<usize>),
    Each { blocks: usize, shape: Vec<usize> },
}

#[derive(Deserialize)]
struct Listing {
    config: serde_json::Value,
    tensors: BTreeMap<String, Entry>,
}

/// Configuration and tensors of a model.
pub(crate) struct Model {
    pub(crate) config: serde_json::Value,
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
}

impl Model {
    /// One of the lists in a folder.
    pub(crate) fn read(fixtures: &Path, name: &str) -> Self {
        let text = std::fs::read(fixtures.join(format!("{name}.json"))).unwrap();
        let listing: Listing = serde_json::from_slice(&text).unwrap();
        let mut shapes = BTreeMap::new();
        for (name, entry) in listing.tensors {
            match entry {
                Entry::Once(shape) => drop(shapes.insert(name, shape)),
                Entry::Each { blocks, shape } => shapes.extend(
                    (0..blocks)
                        .map(|block| (name.replacen('*', &block.to_string(), 1), shape.clone())),
                ),
            }
        }
        Self {
            config: listing.config,
            shapes,
        }
    }

    /// Writes the configuration and a file of half-precision tensors whose values `fill` writes.
    pub(crate) fn write(&self, folder: &Path, fill: impl FnOnce(&mut BufWriter<File>)) {
        let config = self.config.to_string();
        std::fs::write(folder.join("config.json"), config).unwrap();
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, shape) in &self.shapes {
            let start = end;
            end += 2 * shape.iter().product::<usize>();
            let entry = serde_json::json!({
                "dtype": "F16", "shape": shape, "data_offsets": [start, end],
            });
            header.insert(name.clone(), entry);
        }
        let header = serde_json::Value::Object(header).to_string();
        let file = File::create(folder.join("model.safetensors")).unwrap();
        // What is not written is a hole and reads as zeros.
        file.set_len((8 + header.len() + end) as u64).unwrap();
        let mut out = BufWriter::new(file);
        out.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
        out.write_all(header.as_bytes()).unwrap();
        fill(&mut out);
        out.flush().unwrap();
    }

    /// Writes a model of random weights.
    pub(crate) fn write_random(&self, folder: &Path) {
        self.write(folder, |out| {
            for (name, shape) in &self.shapes {
                write_weight(out, name, shape);
            }
        });
    }
}

/// FNV-1a, 64 bits.
pub(crate) fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |value, byte| {
        (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The number at a place of a drawn tensor: mean 0, variance 1, nearly normal.
pub(crate) fn drawn(seed: u64, index: usize) -> f32 {
    // SplitMix64.
    let step = 0x9e37_79b9_7f4a_7c15u64;
    let mut x = seed.wrapping_add((index as u64 + 1).wrapping_mul(step));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    let total = (x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48);
    (total as i64 - 2 * 65535) as f32 * (3f64.sqrt() / 65536.0) as f32
}

/// Writes a weight: gains near 1, small biases, matrices that keep variance.
pub(crate) fn write_weight(out: &mut impl Write, name: &str, shape: &[usize]) {
    const PIECE: usize = 1 << 14;
    let seed = fnv(name);
    let scale = |inner: &[usize]| (1.0 / (inner.iter().product::<usize>() as f64).sqrt()) as f32;
    let (offset, factor) = match shape {
        [] => (4.6052, 0.0),
        [_] if name.ends_with(".weight") => (1.0, 0.1),
        [_] => (0.0, 0.02),
        [_, inner @ ..] => (0.0, scale(inner)),
    };
    let count: usize = shape.iter().product();
    let mut halves = [f16::ZERO; PIECE];
    for first in (0..count).step_by(PIECE) {
        let piece = first..count.min(first + PIECE);
        let numbers: Vec<f32> = piece.map(|at| offset + factor * drawn(seed, at)).collect();
        let halves = &mut halves[..numbers.len()];
        halves.convert_from_f32_slice(&numbers);
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        out.write_all(&bytes).unwrap();
    }
}
