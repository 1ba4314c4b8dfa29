//! The text tower layer by layer: its states and its named weights.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use harness_backbone::{Backbone, TextParameter};

use crate::common::{assert_close, backbone, backbones, config, tensors, values};

fn rows(backbone: &Backbone) -> Vec<Vec<u32>> {
    let end = backbone.text().end_token();
    vec![vec![end - 1, 3, 4, end], vec![end - 1, 5, end]]
}

#[test]
fn a_trace_ends_in_the_features_and_begins_with_the_embedding() {
    for folder in backbones() {
        let backbone = Backbone::load(&folder).unwrap();
        let text = backbone.text();
        let states = text.trace_ids(&rows(&backbone)).unwrap();
        assert_eq!(states.len(), text.dims().layers + 2);
        let features = text.encode_ids(&rows(&backbone)).unwrap();
        // The trace comes from the reference path, the features from the engine.
        assert_close("features", &states[states.len() - 1], &features, 2e-6);
        let parameters = text.parameters().unwrap();
        let position = parameters[1].tensor.narrow(0, 3, 1).unwrap();
        let token = text.embed_tokens(&[text.end_token()]).unwrap();
        let expected = (token + position).unwrap();
        assert_eq!(
            values(&states[0].narrow(0, 0, 1).unwrap()),
            values(&expected)
        );
    }
}

#[test]
fn every_weight_of_the_text_tower_is_named_once() {
    for folder in backbones() {
        let backbone = Backbone::load(&folder).unwrap();
        let parameters = backbone.text().parameters().unwrap();
        let layers = backbone.dims().text.layers;
        let mut names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), parameters.len());
        assert_eq!(parameters.len(), 2 + 16 * layers + 3);
        assert!(parameters.is_sorted_by_key(|p| p.layer));
        assert_eq!(parameters[parameters.len() - 1].layer, layers + 1);
        let count: usize = parameters.iter().map(|p| p.tensor.elem_count()).sum();
        assert_eq!(count, stored_values(&folder));
    }
}

/// Numbers of the text tower in the checkpoint.
fn stored_values(folder: &Path) -> usize {
    let state = tensors(&folder.join("model.safetensors"));
    let image = ["vis", "logit_scale"];
    let text = state
        .iter()
        .filter(|(name, _)| !image.iter().any(|prefix| name.starts_with(prefix)));
    text.map(|(_, tensor)| tensor.elem_count()).sum()
}

/// transformers' checkpoint in open_clip's names: packed attention, transposed projections.
fn packed(state: &HashMap<String, Tensor>) -> HashMap<String, Tensor> {
    let mut text = HashMap::new();
    for (name, tensor) in state.iter().filter(|(name, _)| !name.starts_with("vis")) {
        let name = name
            .replace("text_model.encoder.layers.", "transformer.resblocks.")
            .replace("layer_norm", "ln_")
            .replace("mlp.fc1", "mlp.c_fc")
            .replace("mlp.fc2", "mlp.c_proj")
            .replace("self_attn.out_proj", "attn.out_proj")
            .replace("text_model.final_ln_.", "ln_final.")
            .replace("text_model.embeddings.token_embedding", "token_embedding")
            .replace(
                "text_model.embeddings.position_embedding.weight",
                "positional_embedding",
            );
        if name == "text_projection.weight" {
            let transposed = tensor.t().unwrap().contiguous().unwrap();
            text.insert("text_projection".to_owned(), transposed);
        } else if let Some((block, kind)) = name.split_once("self_attn.q_proj.") {
            let part = |p: &str| {
                let at = block.replace("transformer.resblocks.", "text_model.encoder.layers.");
                &state[&format!("{at}self_attn.{p}_proj.{kind}")]
            };
            let joined = Tensor::cat(&["q", "k", "v"].map(part), 0).unwrap();
            text.insert(format!("{block}attn.in_proj_{kind}"), joined);
        } else if !name.contains("self_attn") {
            text.insert(name, tensor.clone());
        }
    }
    text
}

#[test]
fn names_shapes_and_values_do_not_depend_on_the_layout() {
    let split = backbone("hf-clip");
    let other = backbone("open-clip-quickgelu");
    let mut state = tensors(&other.join("model.safetensors"));
    state.extend(packed(&tensors(&split.join("model.safetensors"))));
    let packed = Backbone::from_tensors(state, &config(&other), None).unwrap();
    let split = Backbone::load(&split).unwrap();
    let lists = [&split, &packed].map(|backbone| backbone.text().parameters().unwrap());
    let name = |p: &TextParameter| (p.layer, p.name.clone(), p.tensor.dims().to_vec());
    assert_eq!(
        lists[0].iter().map(name).collect::<Vec<_>>(),
        lists[1].iter().map(name).collect::<Vec<_>>()
    );
    for (a, b) in lists[0].iter().zip(&lists[1]) {
        assert_eq!(values(&a.tensor), values(&b.tensor), "{}", a.name);
    }
    // The projection lies transposed, so that its sums may be taken in another order.
    let encode = |backbone: &Backbone| backbone.text().encode_ids(&rows(&split)).unwrap();
    assert_close("features", &encode(&packed), &encode(&split), 1e-6);
}
