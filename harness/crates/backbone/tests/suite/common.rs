//! Reference vectors and comparisons shared by the tests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

/// Reference vectors of this repository.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden")
}

/// Reference vectors that the golden tests read: another folder of the same form, if one is named.
pub(crate) fn golden() -> PathBuf {
    std::env::var_os("HARNESS_GOLDEN").map_or_else(fixtures, PathBuf::from)
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.safetensors").is_file())
        .collect();
    folders.sort();
    assert!(
        !folders.is_empty(),
        "no reference backbones in {}",
        folder.display()
    );
    folders
}

/// Every backbone of the golden tests, by listing, and small ones with the proportions of large.
pub(crate) fn golden_backbones() -> Vec<PathBuf> {
    let mut all = list(&golden().join("backbones"));
    all.extend(list(&fixtures().join("../tower-shapes")));
    all
}

/// The five backbones of this repository, one a layout.
pub(crate) fn backbones() -> Vec<PathBuf> {
    list(&fixtures().join("backbones"))
}

/// One of them by the name of its folder.
pub(crate) fn backbone(name: &str) -> PathBuf {
    fixtures().join("backbones").join(name)
}

/// All tensors of a file.
pub(crate) fn tensors(path: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

pub(crate) fn config(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs_err::read(folder.join("config.json")).unwrap()).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor
        .to_dtype(DType::F32)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

pub(crate) fn integers(tensor: &Tensor) -> Vec<u32> {
    let wide = tensor.flatten_all().unwrap().to_vec1::<i64>().unwrap();
    wide.iter().map(|v| u32::try_from(*v).unwrap()).collect()
}

/// Largest difference over the largest expected magnitude.
pub(crate) fn distance(found: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(found.dims(), expected.dims(), "shapes differ");
    let (found, expected) = (values(found), values(expected));
    let scale = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    assert!(scale > 0.0, "nothing to compare with");
    let far = found.iter().zip(&expected).map(|(f, e)| (f - e).abs());
    // `fold` with `max` would skip a NaN.
    far.fold(0f32, |m, d| if d > m || d.is_nan() { d } else { m }) / scale
}

pub(crate) fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f32) {
    let far = distance(found, expected);
    assert!(far <= tolerance, "{what}: {far:e} exceeds {tolerance:e}");
}

/// Reproducible values in [-1, 1).
pub(crate) fn noise(seed: u64, shape: &[usize]) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let count = shape.iter().product();
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = std::iter::repeat_with(next).take(count).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Gradient of `sum(output * cotangent)`.
pub(crate) fn vjp(output: &Tensor, cotangent: &Tensor) -> candle_core::backprop::GradStore {
    let total = (output * cotangent).unwrap().sum_all().unwrap();
    total.backward().unwrap()
}
