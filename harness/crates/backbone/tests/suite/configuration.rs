//! Configurations as transformers and open_clip read them.

use harness_backbone::{Activation, Backbone};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{backbone, config, noise, values};

/// The weights of a golden backbone with another configuration.
fn with_config(name: &str, config: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let weights = backbone(name).join("model.safetensors");
    fs_err::copy(weights, folder.path().join("model.safetensors")).unwrap();
    fs_err::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

fn features(name: &str, config: &Value) -> Vec<f32> {
    let loaded = Backbone::load(with_config(name, config).path()).unwrap();
    values(&loaded.image().encode(&noise(1, &[2, 3, 32, 32])).unwrap())
}

fn refusal(name: &str, config: &Value) -> String {
    let folder = with_config(name, config);
    Backbone::check(folder.path()).unwrap_err().to_string()
}

/// The configuration of `hf-clip` with another number of heads, which no tensor shows.
fn heads(text: u64, image: u64) -> Value {
    let mut config = config(&backbone("hf-clip"));
    config["text_config"]["num_attention_heads"] = text.into();
    config["vision_config"]["num_attention_heads"] = image.into();
    config
}

#[test]
fn keys_that_transformers_does_not_write_have_its_defaults() {
    let full = heads(8, 12);
    let mut short = full.clone();
    for section in ["text_config", "vision_config"] {
        let section = short[section].as_object_mut().unwrap();
        section.retain(|key, _| {
            [
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "image_size",
                "patch_size",
                "vocab_size",
            ]
            .contains(&key.as_str())
        });
    }
    let loaded = Backbone::load(with_config("hf-clip", &short).path()).unwrap();
    assert_eq!(loaded.activation(), Activation::QuickGelu);
    let dims = loaded.dims();
    assert_eq!((dims.text.heads, dims.image.heads), (8, 12));
    assert_eq!(features("hf-clip", &full), features("hf-clip", &short));
    assert_ne!(
        features("hf-clip", &full),
        features("hf-clip", &heads(8, 4))
    );
    // A default that the tensors contradict is no default to rely on.
    let width = short["vision_config"].as_object_mut().unwrap();
    width.remove("hidden_size");
    let message = refusal("hf-clip", &short);
    assert!(
        message
            .contains("`vision_config.hidden_size`: key is missing; transformers' default is 768"),
        "{message}"
    );
    let message = refusal("hf-clip", &json!({"model_type": "clip"}));
    assert!(message.contains("`text_config."), "{message}");
}

#[test]
fn sections_with_dict_after_their_name_win() {
    let full = heads(4, 12);
    let mut both = heads(4, 4);
    both["vision_config_dict"] = full["vision_config"].clone();
    assert_eq!(features("hf-clip", &full), features("hf-clip", &both));
    // What it lacks has transformers' default, not the value of the section that loses.
    let dict = both["vision_config_dict"].as_object_mut().unwrap();
    dict.remove("num_attention_heads");
    assert_eq!(features("hf-clip", &full), features("hf-clip", &both));
    both["vision_config_dict"]["num_attention_heads"] = 5.into();
    let message = refusal("hf-clip", &both);
    assert!(
        message.contains("`vision_config_dict.num_attention_heads`"),
        "{message}"
    );
}

#[test]
fn models_that_only_share_clips_names_are_refused() {
    let mut other = config(&backbone("hf-clip"));
    other["model_type"] = "siglip".into();
    let message = refusal("hf-clip", &other);
    assert!(
        message.contains("`model_type`") && message.contains("siglip"),
        "{message}"
    );
}

#[test]
fn what_eva_files_do_not_say_is_not_guessed() {
    let mut eva = config(&backbone("open-clip-eva02"));
    eva["vision_cfg"]["timm_model_name"] = "vit_of_ours".into();
    let message = refusal("open-clip-eva02", &eva);
    assert!(
        message.contains("`vision_cfg.overrides.ref_feat_shape.0`"),
        "{message}"
    );
    let overrides = eva["vision_cfg"]["overrides"].as_object_mut().unwrap();
    overrides.insert("ref_feat_shape".into(), json!([16, 16]));
    let original = config(&backbone("open-clip-eva02"));
    assert_eq!(
        features("open-clip-eva02", &eva),
        features("open-clip-eva02", &original)
    );
    let overrides = eva["vision_cfg"]["overrides"].as_object_mut().unwrap();
    overrides.remove("num_heads");
    let message = refusal("open-clip-eva02", &eva);
    assert!(
        message.contains("`vision_cfg.overrides.num_heads`"),
        "{message}"
    );
}
