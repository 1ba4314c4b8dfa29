//! transformers' layout against candle-transformers' CLIP, an independent forward pass.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use harness_backbone::Backbone;
use harness_reference::ReferenceClip;

/// A backbone of this repository by the name of its folder.
fn backbone(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/golden/backbones")
        .join(name)
}

/// Largest difference over the largest expected magnitude.
fn distance(found: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(found.dims(), expected.dims(), "shapes differ");
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (found, expected) = (values(found), values(expected));
    // `f32::max` would skip a NaN.
    let largest = |m: f32, d: f32| if d > m || d.is_nan() { d } else { m };
    let scale = expected.iter().map(|v| v.abs()).fold(0.0, largest);
    assert!(scale > 0.0, "nothing to compare with");
    let differences = found.iter().zip(&expected).map(|(f, e)| (f - e).abs());
    differences.fold(0.0, largest) / scale
}

#[test]
fn features_equal_those_of_candle_transformers() {
    let folder = backbone("hf-clip");
    let loaded = Backbone::load(&folder).unwrap();
    let reference = ReferenceClip::load(&folder).unwrap();

    let end = loaded.text().end_token();
    let rows = [vec![end - 1, 7, 8, end], vec![end - 1, 300, end]];
    let found = loaded.text().encode_ids(&rows).unwrap();
    let far = distance(&found, &reference.encode_ids(&rows).unwrap());
    assert!(far <= 1e-5, "text: {far:e}");

    let side = loaded.dims().image.image_size;
    let values = (0..2 * 3 * side * side).map(|at| (at as f32 * 12.9898).sin());
    let values: Vec<f32> = values.collect();
    let pixels = Tensor::from_vec(values, (2, 3, side, side), &Device::Cpu).unwrap();
    let found = loaded.image().encode(&pixels).unwrap();
    let far = distance(&found, &reference.encode_pixels(&pixels).unwrap());
    assert!(far <= 1e-5, "image: {far:e}");
}

#[test]
fn what_candle_transformers_does_not_compute_is_refused() {
    for (name, reason) in [
        ("open-clip-quickgelu", "found layout open-clip"),
        ("open-clip-eva02", "found layout open-clip-eva02"),
    ] {
        let error = ReferenceClip::load(&backbone(name)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}
