//! The bodies for devices: golden vectors of every layout, and what the CPU's kernels compute.
//!
//! They run on the CPU in every test run. `HARNESS_TEST_DEVICE=cuda` (or `metal`) runs them on a
//! device as well.

use candle_core::{Device, Tensor, Var};
use harness_backbone::{ACTIVATION_LIMIT, Backbone, ImageEdit, Precision, WeightEdit};
use proptest::prelude::*;

use crate::common::{
    assert_close, distance, golden_backbones, integers, noise, tensors, values, vjp,
};
use crate::engine::{Case, case, compare, many_classes};
use crate::image_forward::{Shape, edits, pixels, shape};

const TOLERANCE: f32 = 1e-4;

/// The CPU, and the device that the environment asks for.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::Cpu];
    let wanted = std::env::var("HARNESS_TEST_DEVICE").unwrap_or_default();
    let device = match wanted.as_str() {
        "" => {
            eprintln!("SKIPPED on a GPU: HARNESS_TEST_DEVICE names none");
            return devices;
        }
        "cuda" => Device::new_cuda(0),
        "metal" => Device::new_metal(0),
        other => panic!("HARNESS_TEST_DEVICE: expected cuda or metal, found {other}"),
    };
    devices.push(device.unwrap_or_else(|e| panic!("HARNESS_TEST_DEVICE={wanted}: {e}")));
    devices
}

#[test]
fn golden_text_features_and_gradients_on_devices() {
    for (folder, device) in golden_backbones()
        .iter()
        .flat_map(|f| devices().into_iter().map(move |d| (f, d)))
    {
        let expected = tensors(&folder.join("expected.safetensors"));
        let backbone = Backbone::load(folder).unwrap();
        let backbone = backbone.on_device(&device, Precision::F32);
        let what = format!("{} on {:?}", folder.display(), device.location());
        let ends = integers(&expected["eot_index"]);
        let ends: Vec<usize> = ends.iter().map(|e| *e as usize).collect();
        let length = expected["token_ids"].dim(1).unwrap();
        let ids = integers(&expected["token_ids"]);
        let rows = ids.chunks(length).zip(&ends);
        let rows: Vec<Vec<u32>> = rows.map(|(row, end)| row[..=*end].to_vec()).collect();
        let found = backbone.text().encode_ids(&rows).unwrap();
        assert_close(&what, &found, &expected["text_features"], TOLERANCE);
        let prompts = Var::from_tensor(&expected["prompt_embeddings"]).unwrap();
        let found = backbone.text().encode_embeddings(&prompts, &ends).unwrap();
        assert_close(&what, &found, &expected["prompt_text_features"], TOLERANCE);
        let grads = vjp(&found, &expected["cotangent"]);
        let grad = grads.get(&prompts).expect("a gradient for the prompts");
        assert_close(&what, grad, &expected["grad_prompt_embeddings"], TOLERANCE);
        let found = backbone.image().encode(&expected["pixels"]).unwrap();
        assert_close(&what, &found, &expected["image_features"], TOLERANCE);
    }
}

fn text_agrees(case: &Case) {
    for device in devices() {
        let place = |b: &Backbone| b.clone().on_device(&device, Precision::F32);
        compare(case, place, |tower, batch| tower.encode(batch), 1e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn text_features_and_gradients_are_those_of_the_kernels(case in case()) {
        text_agrees(&case);
    }

    #[test]
    fn image_features_and_gradients_are_those_of_the_kernels(
        shape in shape(), seed in 0u64..1000, images in 1usize..4, layer in 0usize..8, edited: bool,
    ) {
        image_agrees(shape, seed, images, layer, edited);
    }
}

#[test]
fn families_of_prompts_are_those_of_the_kernels() {
    for case in many_classes() {
        text_agrees(&case);
    }
}

#[test]
fn chunks_that_are_computed_again_change_nothing() {
    for case in many_classes() {
        for device in devices() {
            let place = |b: &Backbone| {
                let little = b.clone().with_activation_limit(200_000);
                little.on_device(&device, Precision::F32)
            };
            compare(&case, place, |tower, batch| tower.encode(batch), 1e-5);
        }
    }
}

#[test]
fn bf16_is_near_f32() {
    for device in devices() {
        let folder = &golden_backbones()[0];
        let expected = tensors(&folder.join("expected.safetensors"));
        let backbone = Backbone::load(folder).unwrap();
        let backbone = backbone.on_device(&device, Precision::Bf16);
        let found = backbone.image().encode(&expected["pixels"]).unwrap();
        let far = distance(&found, &expected["image_features"]);
        assert!((1e-5..3e-2).contains(&far), "bf16 is off by {far:e}");
    }
}

/// The same edits with their tensors tracked, and those tensors.
fn tracked(edits: &[ImageEdit]) -> (Vec<ImageEdit>, Vec<Var>) {
    let mut vars = Vec::new();
    let mut track = |tensor: &Tensor| {
        let var = Var::from_tensor(tensor).unwrap();
        vars.push(var.clone());
        var.as_tensor().clone()
    };
    let edits = edits.iter().map(|edit| match edit {
        ImageEdit::AppendTokens(tokens) => ImageEdit::AppendTokens(track(tokens)),
        ImageEdit::ReplaceTokens {
            layer,
            from_end,
            tokens,
        } => ImageEdit::ReplaceTokens {
            layer: *layer,
            from_end: *from_end,
            tokens: track(tokens),
        },
        ImageEdit::Weight(WeightEdit::LowRank {
            weight,
            a,
            b,
            scale,
            dropout,
        }) => ImageEdit::Weight(WeightEdit::LowRank {
            weight: weight.clone(),
            a: track(a),
            b: track(b),
            scale: *scale,
            dropout: *dropout,
        }),
        ImageEdit::Weight(WeightEdit::Bias { name, mode, value }) => {
            ImageEdit::Weight(WeightEdit::Bias {
                name: name.clone(),
                mode: *mode,
                value: track(value),
            })
        }
    });
    (edits.collect(), vars)
}

fn image_agrees(shape: Shape, seed: u64, images: usize, layer: usize, edited: bool) {
    let backbone = shape.backbone(seed);
    let pixels = Var::from_tensor(&pixels(&backbone, seed, images)).unwrap();
    let edits = match edited {
        true => edits(&backbone, seed, images, layer),
        false => vec![],
    };
    let (edits, mut vars) = tracked(&edits);
    vars.push(pixels.clone());
    let run = |backbone: &Backbone| {
        let features = backbone.image().encode_edited(&pixels, &edits).unwrap();
        let grads = vjp(&features, &noise(99, features.dims()));
        let grads = vars.iter().map(|var| grads.get(var).cloned());
        (features, grads.collect::<Vec<_>>())
    };
    let (expected, expected_grads) = run(&backbone);
    let all = expected_grads.iter().flatten().flat_map(values);
    let scale = all.fold(0f32, |m, v| m.max(v.abs()));
    // With the second limit, images are computed one by one, and most of them again.
    for (device, limit) in devices()
        .into_iter()
        .flat_map(|d| [(d.clone(), ACTIVATION_LIMIT), (d, 1)])
    {
        let placed = backbone.clone().with_activation_limit(limit);
        let placed = placed.on_device(&device, Precision::F32);
        let (features, grads) = run(&placed);
        assert_close("features", &features, &expected, 2e-5);
        for (i, (found, expected)) in grads.iter().zip(&expected_grads).enumerate() {
            let (found, expected) = (found.as_ref().map(values), expected.as_ref().map(values));
            let expected = expected.unwrap_or_default();
            let found = found.unwrap_or_else(|| vec![0.0; expected.len()]);
            let far = found.iter().zip(&expected).map(|(f, e)| (f - e).abs());
            let far = far.fold(0f32, |m, d| if d > m || d.is_nan() { d } else { m });
            assert!(
                far <= 3e-5 * scale,
                "tensor {i} is off by {far:e} of {scale:e}"
            );
        }
    }
}
