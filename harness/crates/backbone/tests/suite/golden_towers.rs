//! Both towers against features and gradients of the published packages.

use crate::common::{assert_close, golden_backbones, integers, tensors, vjp};
use candle_core::Var;
use harness_backbone::{Backbone, Dims};

const TOLERANCE: f32 = 1e-4;

#[test]
fn golden_text_features_from_token_ids() {
    for folder in golden_backbones() {
        let expected = tensors(&folder.join("expected.safetensors"));
        let backbone = Backbone::load(&folder).unwrap();
        let length = expected["token_ids"].dim(1).unwrap();
        let ends = integers(&expected["eot_index"]);
        let rows: Vec<Vec<u32>> = integers(&expected["token_ids"])
            .chunks(length)
            .zip(&ends)
            .map(|(row, end)| row[..=*end as usize].to_vec())
            .collect();
        let found = backbone.text().encode_ids(&rows).unwrap();
        let what = folder.display().to_string();
        assert_close(&what, &found, &expected["text_features"], TOLERANCE);
    }
}

#[test]
fn golden_prompt_features_and_gradients() {
    for folder in golden_backbones() {
        let expected = tensors(&folder.join("expected.safetensors"));
        let backbone = Backbone::load(&folder).unwrap();
        let ends = integers(&expected["eot_index"]);
        let ends: Vec<usize> = ends.iter().map(|e| *e as usize).collect();
        let prompts = Var::from_tensor(&expected["prompt_embeddings"]).unwrap();
        let found = backbone.text().encode_embeddings(&prompts, &ends).unwrap();
        let what = folder.display().to_string();
        assert_close(&what, &found, &expected["prompt_text_features"], TOLERANCE);
        let grads = vjp(&found, &expected["cotangent"]);
        let grad = grads.get(&prompts).expect("a gradient for the prompts");
        assert_close(&what, grad, &expected["grad_prompt_embeddings"], TOLERANCE);
    }
}

#[test]
fn golden_image_features() {
    for folder in golden_backbones() {
        let expected = tensors(&folder.join("expected.safetensors"));
        let backbone = Backbone::load(&folder).unwrap();
        let found = backbone.image().encode(&expected["pixels"]).unwrap();
        let what = folder.display().to_string();
        assert_close(&what, &found, &expected["image_features"], TOLERANCE);
    }
}

#[test]
fn golden_dimensions_come_from_header_and_configuration() {
    for folder in golden_backbones() {
        let expected = tensors(&folder.join("expected.safetensors"));
        let dims = Dims::read(&folder).unwrap();
        assert_eq!(&dims, Backbone::load(&folder).unwrap().dims());
        assert_eq!(dims.embed_dim, expected["text_features"].dim(1).unwrap());
        let (_, context, width) = expected["prompt_embeddings"].dims3().unwrap();
        assert_eq!(
            (dims.text.context_length, dims.text.width),
            (context, width)
        );
        let side = expected["pixels"].dim(3).unwrap();
        assert_eq!(dims.image.image_size, side);
        let grid = side / dims.image.patch_size;
        assert_eq!(dims.image.patches, grid * grid);
        let text = serde_json::to_string(&dims).unwrap();
        assert_eq!(serde_json::from_str::<Dims>(&text).unwrap(), dims);
    }
}
