//! The forms in which the same weights come: half precision, hub configuration, file names.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Tensor};
use harness_backbone::{Activation, Architecture, Backbone, Dims, digest};
use tempfile::TempDir;

use crate::common::{assert_close, backbone, backbones, config, noise, tensors, values};

fn store(state: &HashMap<String, Tensor>, weights: &str, name: &str, json: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    candle_core::safetensors::save(state, folder.path().join(weights)).unwrap();
    fs_err::write(folder.path().join(name), json).unwrap();
    folder
}

fn features(folder: &Path) -> Tensor {
    let loaded = Backbone::load(folder).unwrap();
    let side = loaded.dims().image.image_size;
    loaded
        .image()
        .encode(&noise(1, &[2, 3, side, side]))
        .unwrap()
}

#[test]
fn half_precision_weights_are_widened() {
    for source in backbones() {
        for dtype in [DType::F16, DType::BF16] {
            let halved: HashMap<String, Tensor> = tensors(&source.join("model.safetensors"))
                .into_iter()
                .map(|(name, tensor)| (name, tensor.to_dtype(dtype).unwrap()))
                .collect();
            let rounded = halved
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.to_dtype(DType::F32).unwrap()))
                .collect();
            let json = config(&source).to_string();
            let half = store(&halved, "model.safetensors", "config.json", &json);
            let full = store(&rounded, "model.safetensors", "config.json", &json);
            assert_eq!(
                values(&features(half.path())),
                values(&features(full.path()))
            );
        }
    }
}

#[test]
fn the_hub_form_of_the_configuration_is_read() {
    let source = backbone("open-clip-quickgelu");
    let state = tensors(&source.join("model.safetensors"));
    let hub = serde_json::json!({
        "model_cfg": config(&source),
        "preprocess_cfg": {
            "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4],
            "interpolation": "bicubic", "resize_mode": "shortest", "size": [3, 32, 32],
        },
    });
    let folder = store(
        &state,
        "open_clip_model.safetensors",
        "open_clip_config.json",
        &hub.to_string(),
    );
    // A bare trunk and its configuration, as some hub folders hold them, must not be preferred.
    fs_err::write(folder.path().join("model.safetensors"), "of another tool").unwrap();
    fs_err::write(
        folder.path().join("config.json"),
        "{\"architecture\": \"vit\"}",
    )
    .unwrap();
    let loaded = Backbone::load(folder.path()).unwrap();
    assert_eq!(loaded.transform().mean, [0.5, 0.4, 0.3]);
    assert_eq!(loaded.transform().size, 32);
    assert_eq!(loaded.activation(), Activation::QuickGelu);
    assert_close("hub", &features(folder.path()), &features(&source), 0.0);
    let nearest = hub.to_string().replace("bicubic", "nearest");
    let folder = store(&state, "model.safetensors", "config.json", &nearest);
    let message = Backbone::load(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("preprocess_cfg.interpolation"),
        "{message}"
    );
}

#[test]
fn layouts_and_constants_are_recognised() {
    for source in backbones() {
        let loaded = Backbone::load(&source).unwrap();
        let folder = source.file_name().unwrap().to_str().unwrap();
        assert!(folder.starts_with(loaded.layout().name()), "{folder}");
        let stored = values(&tensors(&source.join("model.safetensors"))["logit_scale"])[0];
        assert_eq!(loaded.logit_scale().unwrap(), stored.exp());
        let image = &loaded.dims().image;
        assert_eq!(image.has_rope, folder.contains("eva"));
        assert_eq!(image.has_ln_pre, !image.has_rope);
    }
}

#[test]
fn the_activation_of_openais_own_archives_is_not_guessed() {
    let source = backbone("open-clip-quickgelu");
    let mut state = tensors(&source.join("model.safetensors"));
    let size = Tensor::new(32i64, &candle_core::Device::Cpu).unwrap();
    state.insert("input_resolution".into(), size);
    let mut json = config(&source);
    let folder = store(
        &state,
        "model.safetensors",
        "config.json",
        &json.to_string(),
    );
    assert_close("said", &features(folder.path()), &features(&source), 0.0);
    json.as_object_mut().unwrap().remove("quick_gelu");
    let folder = store(
        &state,
        "model.safetensors",
        "config.json",
        &json.to_string(),
    );
    let message = Backbone::load(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("`quick_gelu`") && message.contains("OpenAI"),
        "{message}"
    );
    // Without the buffers, open_clip's default counts.
    state.remove("input_resolution");
    let folder = store(
        &state,
        "model.safetensors",
        "config.json",
        &json.to_string(),
    );
    let loaded = Backbone::load(folder.path()).unwrap();
    assert_eq!(loaded.activation(), Activation::Gelu);
}

#[test]
fn the_context_is_as_long_as_the_positions() {
    for (name, positions) in [
        ("open-clip-gelu", "positional_embedding"),
        ("eva-clip-rei", "text.positional_embedding"),
        ("hf-clip", "text_model.embeddings.position_embedding.weight"),
    ] {
        let source = backbone(name);
        let mut state = tensors(&source.join("model.safetensors"));
        let cut = state[positions].narrow(0, 0, 20).unwrap();
        state.insert(positions.into(), cut.contiguous().unwrap());
        let mut json = config(&source);
        for (section, key) in [
            ("text_cfg", "context_length"),
            ("text_config", "max_position_embeddings"),
        ] {
            if let Some(section) = json.get_mut(section) {
                section[key] = 20.into();
            }
        }
        let short = store(
            &state,
            "model.safetensors",
            "config.json",
            &json.to_string(),
        );
        let (short, long) = (
            Backbone::load(short.path()).unwrap(),
            Backbone::load(&source).unwrap(),
        );
        assert_eq!(short.dims().text.context_length, 20);
        let row = |length: usize| [vec![510], vec![7; length - 2], vec![511]].concat();
        let encode = |backbone: &Backbone, length| backbone.text().encode_ids(&[row(length)]);
        // What fits in both is the same in both.
        let (found, expected) = (encode(&short, 20).unwrap(), encode(&long, 20).unwrap());
        assert_eq!(values(&found), values(&expected), "{name}");
        assert!(encode(&short, 21).is_err(), "{name}");
        assert!(encode(&long, 77).is_ok(), "{name}");
    }
}

#[test]
fn the_digest_follows_bytes_not_names() {
    let source = backbone("open-clip-quickgelu");
    let state = tensors(&source.join("model.safetensors"));
    let json = config(&source).to_string();
    let first = store(&state, "model.safetensors", "config.json", &json);
    let bytes = fs_err::read(first.path().join("model.safetensors")).unwrap();
    let second = tempfile::tempdir().unwrap();
    fs_err::write(second.path().join("weights.safetensors"), &bytes).unwrap();
    fs_err::write(second.path().join("open_clip_config.json"), &json).unwrap();
    let before = digest(first.path()).unwrap();
    assert_eq!(before.len(), 64);
    assert_eq!(before, digest(second.path()).unwrap());
    fs_err::write(first.path().join("notes.txt"), "no matter").unwrap();
    assert_eq!(before, digest(first.path()).unwrap());
    fs_err::write(first.path().join("tokenizer.json"), "{}").unwrap();
    assert_ne!(before, digest(first.path()).unwrap());
    let mut changed = bytes;
    *changed.last_mut().unwrap() ^= 1;
    fs_err::write(second.path().join("weights.safetensors"), &changed).unwrap();
    assert_ne!(before, digest(second.path()).unwrap());
}

#[test]
fn dimensions_need_no_values() {
    // A file whose data is all NaN has dimensions but is no backbone.
    let source = backbone("open-clip-eva02");
    let poisoned: HashMap<String, Tensor> = tensors(&source.join("model.safetensors"))
        .into_iter()
        .map(|(name, tensor)| (name, (tensor * f64::NAN).unwrap()))
        .collect();
    let json = config(&source).to_string();
    let folder = store(&poisoned, "model.safetensors", "config.json", &json);
    assert_eq!(
        Dims::read(folder.path()).unwrap(),
        Dims::read(&source).unwrap()
    );
    assert!(Backbone::load(folder.path()).is_err());
}

#[test]
fn names_are_read_without_what_training_puts_before_them() {
    let source = backbone("open-clip-quickgelu");
    let state = tensors(&source.join("model.safetensors"));
    let json = config(&source).to_string();
    for prefix in [
        "module.",
        "_orig_mod.",
        "model._orig_mod.",
        "_orig_mod.module.",
    ] {
        let named = state.iter();
        let named = named.map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone()));
        let folder = store(&named.collect(), "model.safetensors", "config.json", &json);
        assert_close(prefix, &features(folder.path()), &features(&source), 0.0);
        let notes = Architecture::of(folder.path()).unwrap().notes;
        assert!(notes[0].contains(&format!("`{prefix}`")), "{notes:?}");
    }
    let inside = state.iter().map(|(name, tensor)| {
        let name = name.replace("visual.", "visual._orig_mod.");
        (name, tensor.clone())
    });
    let folder = store(&inside.collect(), "model.safetensors", "config.json", &json);
    assert_close("inside", &features(folder.path()), &features(&source), 0.0);
    assert!(Architecture::of(&source).unwrap().notes.is_empty());
}

#[test]
fn a_logit_scale_may_be_a_row_of_one() {
    let source = backbone("open-clip-quickgelu");
    let mut state = tensors(&source.join("model.safetensors"));
    let scale = state["logit_scale"].reshape(1).unwrap();
    state.insert("logit_scale".into(), scale);
    let json = config(&source).to_string();
    let folder = store(&state, "model.safetensors", "config.json", &json);
    Backbone::check(folder.path()).unwrap();
    assert_eq!(
        Backbone::load(folder.path())
            .unwrap()
            .logit_scale()
            .unwrap(),
        Backbone::load(&source).unwrap().logit_scale().unwrap()
    );
}

#[test]
fn buffers_of_evas_forks_are_left_aside_with_a_note() {
    let source = backbone("eva-clip-rei");
    let mut state = tensors(&source.join("model.safetensors"));
    let zeros =
        |shape: &[usize]| Tensor::zeros(shape, DType::F32, &candle_core::Device::Cpu).unwrap();
    for at in ["visual.rope.", "visual.blocks.0.attn.rope."] {
        state.insert(format!("{at}flag"), zeros(&[]));
        state.insert(format!("{at}freqs_cos_1600"), zeros(&[100, 16]));
    }
    let json = config(&source).to_string();
    let folder = store(&state, "model.safetensors", "config.json", &json);
    assert_close("forks", &features(folder.path()), &features(&source), 0.0);
    let notes = Architecture::of(folder.path()).unwrap().notes;
    assert!(notes[0].starts_with("4 buffers"), "{notes:?}");
}

#[test]
fn shards_are_read_as_their_index_lists_them() {
    let source = backbone("open-clip-eva02");
    let state = tensors(&source.join("model.safetensors"));
    let folder = tempfile::tempdir().unwrap();
    let shard = |at: usize| format!("model-0000{at}-of-00002.safetensors");
    let mut names: Vec<&String> = state.keys().collect();
    names.sort();
    let mut map = serde_json::Map::new();
    for (at, names) in names.chunks(names.len().div_ceil(2)).enumerate() {
        let part: HashMap<String, Tensor> = names
            .iter()
            .map(|name| ((*name).clone(), state[*name].clone()))
            .collect();
        candle_core::safetensors::save(&part, folder.path().join(shard(at + 1))).unwrap();
        map.extend(
            names
                .iter()
                .map(|name| ((*name).clone(), shard(at + 1).into())),
        );
    }
    let write = |map: &serde_json::Map<String, serde_json::Value>| {
        let index = serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map});
        let path = folder.path().join("model.safetensors.index.json");
        fs_err::write(path, index.to_string()).unwrap();
    };
    fs_err::write(
        folder.path().join("config.json"),
        config(&source).to_string(),
    )
    .unwrap();
    let unlisted = Backbone::check(folder.path()).unwrap_err().to_string();
    assert!(
        unlisted.contains("model.safetensors.index.json"),
        "{unlisted}"
    );
    write(&map);
    assert_close("shards", &features(folder.path()), &features(&source), 0.0);
    let before = digest(folder.path()).unwrap();
    let refusal = |map: &serde_json::Map<String, serde_json::Value>| {
        write(map);
        Backbone::check(folder.path()).unwrap_err().to_string()
    };
    let name = names[0].clone();
    let mut other = map.clone();
    other.insert(name.clone(), "../model.safetensors".into());
    assert!(refusal(&other).contains("../model.safetensors"));
    other.insert(name.clone(), shard(2).into());
    assert!(refusal(&other).contains(&format!("`{name}` is not in {}", shard(2))));
    other.remove(&name);
    assert!(refusal(&other).contains(&format!("does not list tensor `{name}`")));
    write(&map);
    fs_err::remove_file(folder.path().join(shard(2))).unwrap();
    assert!(refusal(&map).contains(&shard(2)));
    assert_eq!(before.len(), 64);
}

#[test]
fn towers_that_are_not_computed_are_named() {
    let source = backbone("open-clip-quickgelu");
    let state = tensors(&source.join("model.safetensors"));
    let json = config(&source).to_string();
    for (name, what) in [
        ("visual.layer1.0.conv1.weight", "ResNet"),
        ("visual.trunk.attn_pool.latent", "SigLIP"),
        ("logit_bias", "sigmoid"),
        ("text_decoder.resblocks.0.ln_1.weight", "CoCa"),
        ("visual.blocks.0.mlp.fc1.weight", "EVA01"),
        ("visual.trunk.stages.0.weight", "ConvNeXt"),
    ] {
        let mut state = state.clone();
        state.insert(name.into(), state["logit_scale"].clone());
        let folder = store(&state, "model.safetensors", "config.json", &json);
        let message = Backbone::check(folder.path()).unwrap_err().to_string();
        assert!(
            message.contains(what) && message.contains("supported are"),
            "{message}"
        );
    }
}
