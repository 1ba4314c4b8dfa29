//! Checkpoints of full size: the names and shapes of the published ones, and what random weights
//! of a B/16 compute in every layout. `harness/fixtures/checkpoints/generate.py` made the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use harness_backbone::{Backbone, Dims};
use tempfile::TempDir;

use crate::checkpoint::{Model, drawn, fnv, write_weight};
use crate::common::{assert_close, tensors};
use crate::image_forward::bits;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/checkpoints")
}

fn model(name: &str) -> Model {
    Model::read(&fixtures(), name)
}

impl Model {
    /// The names that the EVA-CLIP repository gives to the tensors of an EVA02 model.
    fn in_eva_clips_names(&self) -> BTreeMap<String, String> {
        let rename = |name: &String| {
            let mut new = name.replace("visual.trunk.", "visual.");
            for (timm, own) in [
                ("attn.norm.", "attn.inner_attn_ln."),
                ("attn.q_proj.bias", "attn.q_bias"),
                ("attn.v_proj.bias", "attn.v_bias"),
                ("mlp.fc1_g.", "mlp.w1."),
                ("mlp.fc1_x.", "mlp.w2."),
                ("mlp.norm.", "mlp.ffn_ln."),
                ("mlp.fc2.", "mlp.w3."),
            ] {
                new = new.replace(timm, own);
            }
            (new, name.clone())
        };
        self.shapes.keys().map(rename).collect()
    }

    fn placeholder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path(), |_| {});
        folder
    }
}

const MODELS: [(&str, [usize; 4]); 6] = [
    ("clip-vit-b16", [512, 512, 768, 12]),
    ("clip-vit-l14", [768, 768, 1024, 24]),
    ("open-clip-vit-b16", [512, 512, 768, 12]),
    ("open-clip-vit-l14", [768, 768, 1024, 24]),
    ("eva02-clip-b16", [512, 512, 768, 12]),
    ("eva02-clip-l14", [768, 768, 1024, 24]),
];

#[test]
fn names_and_shapes_of_the_published_checkpoints_are_accepted() {
    for (name, expected) in MODELS {
        let folder = model(name).placeholder();
        Backbone::check(folder.path()).unwrap();
        let dims = Dims::read(folder.path()).unwrap();
        let (text, image) = (dims.text, dims.image);
        assert_eq!(
            [dims.embed_dim, text.width, image.width, image.layers],
            expected,
            "{name}"
        );
        assert_eq!(
            (text.layers, text.context_length, text.vocab_size),
            (12, 77, 49408)
        );
        assert_eq!(
            (image.image_size, image.has_rope),
            (224, name.starts_with("eva"))
        );
    }
}

#[test]
fn other_names_and_shapes_are_refused_without_reading_a_value() {
    for (name, _) in MODELS {
        let refused = |model: Model| {
            let error = Backbone::check(model.placeholder().path());
            error.expect_err(name).to_string()
        };
        let last = model(name)
            .shapes
            .keys()
            .rev()
            .find(|n| n.contains(".11."))
            .cloned()
            .unwrap();
        let mut without = model(name);
        without.shapes.remove(&last);
        let message = refused(without);
        assert!(
            message.contains(&last) && message.contains("no such tensor"),
            "{message}"
        );
        let mut surplus = model(name);
        surplus.shapes.insert("visual.extra.weight".into(), vec![3]);
        let message = refused(surplus);
        assert!(message.contains("visual.extra.weight"), "{message}");
        let mut reshaped = model(name);
        reshaped.shapes.insert(last.clone(), vec![7, 7]);
        let message = refused(reshaped);
        assert!(
            message.contains(&last) && message.contains("[7, 7]"),
            "{message}"
        );
    }
    // A buffer of older transformers is no tensor of the model.
    let mut old = model("clip-vit-b16");
    let ids = "text_model.embeddings.position_ids";
    old.shapes.insert(ids.into(), vec![1, 77]);
    Backbone::check(old.placeholder().path()).unwrap();
}

/// Loads the model and compares its features with the stored ones.
fn assert_features(folder: &Path, name: &str) {
    let expected = tensors(&fixtures().join(format!("{name}.features.safetensors")));
    let backbone = Backbone::load(folder).unwrap();
    let side = 224;
    let seed = fnv("pixels");
    let pixels: Vec<f32> = (0..3 * side * side).map(|at| drawn(seed, at)).collect();
    let pixels = Tensor::from_vec(pixels, (1, 3, side, side), &Device::Cpu).unwrap();
    let found = backbone.image().encode(&pixels).unwrap();
    assert_close(name, &found, &expected["image_features"], 1e-3);
    // Neither the images beside it nor the threads that share it change a bit of an image.
    let alone = bits(&backbone, &pixels, 3);
    let other = (&pixels * 0.5).unwrap();
    let both = Tensor::cat(&[&other, &pixels], 0).unwrap();
    let together = bits(&backbone, &both, 1);
    assert!(together[alone.len()..] == alone, "{name}");
    // No tokenizer lies beside the weights: CLIP's own is used.
    let tokenizer = backbone.tokenizer().unwrap();
    let texts = ["a photo of a cat.", "dog"].map(|text| tokenizer.prompt(text, 77).unwrap());
    let found = backbone.text().encode_ids(&texts).unwrap();
    assert_close(name, &found, &expected["text_features"], 1e-3);
}

#[test]
fn random_weights_of_full_size_compute_what_the_packages_compute() {
    for name in ["clip-vit-b16", "open-clip-vit-b16", "eva02-clip-b16"] {
        let folder = tempfile::tempdir().unwrap();
        model(name).write_random(folder.path());
        assert_features(folder.path(), name);
    }
}

#[test]
fn eva_clips_own_layout_of_full_size_computes_the_same() {
    let timm = model("eva02-clip-b16");
    let names = timm.in_eva_clips_names();
    let shapes = names
        .iter()
        .map(|(own, timm_name)| (own.clone(), timm.shapes[timm_name].clone()));
    let own = Model {
        config: serde_json::json!({
            "embed_dim": 512,
            "vision_cfg": {
                "image_size": 224, "layers": 12, "width": 768, "head_width": 64, "patch_size": 16,
                "mlp_ratio": 2.6667, "eva_model_name": "eva-clip-b-16-X", "drop_path_rate": 0.0,
                "xattn": true, "fusedLN": true, "rope": true, "pt_hw_seq_len": 16,
                "intp_freq": true, "naiveswiglu": true, "subln": true,
            },
            "text_cfg": {
                "context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12,
                "xattn": true, "fusedLN": true,
            },
        }),
        shapes: shapes.collect(),
    };
    let folder = tempfile::tempdir().unwrap();
    own.write(folder.path(), |out| {
        for (own_name, shape) in &own.shapes {
            write_weight(out, &names[own_name], shape);
        }
    });
    assert_features(folder.path(), "eva02-clip-b16");
}
