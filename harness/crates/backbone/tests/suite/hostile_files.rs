//! Damaged and unsuitable files: each refused, each by name.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use harness_backbone::{Backbone, Dims, digest};
use tempfile::TempDir;

use crate::common::{backbone, backbones, config, tensors};

/// A copy of a reference backbone that a test may damage.
fn copy(source: &Path) -> TempDir {
    let target = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "config.json"] {
        fs_err::copy(source.join(name), target.path().join(name)).unwrap();
    }
    target
}

fn assert_refused(folder: &Path, parts: &[&str]) {
    let message = Backbone::load(folder).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

fn with_tensors(source: &Path, change: impl FnOnce(&mut HashMap<String, Tensor>)) -> TempDir {
    let folder = copy(source);
    let path = folder.path().join("model.safetensors");
    let mut state = tensors(&path);
    change(&mut state);
    candle_core::safetensors::save(&state, &path).unwrap();
    folder
}

fn with_config(source: &Path, change: impl FnOnce(&mut serde_json::Value)) -> TempDir {
    let folder = copy(source);
    let mut value = config(source);
    change(&mut value);
    fs_err::write(folder.path().join("config.json"), value.to_string()).unwrap();
    folder
}

#[test]
fn every_truncation_is_refused() {
    let source = backbone("open-clip-quickgelu");
    let bytes = fs_err::read(source.join("model.safetensors")).unwrap();
    for length in [0, 7, 8, 100, 5000, bytes.len() / 2, bytes.len() - 1] {
        let folder = copy(&source);
        let path = folder.path().join("model.safetensors");
        fs_err::write(&path, &bytes[..length]).unwrap();
        assert_refused(folder.path(), &["model.safetensors"]);
        assert!(Dims::read(folder.path()).is_err());
        assert!(digest(folder.path()).is_err());
    }
    let folder = copy(&source);
    let path = folder.path().join("model.safetensors");
    fs_err::write(&path, [bytes, vec![0]].concat()).unwrap();
    assert_refused(folder.path(), &["model.safetensors", "bytes"]);
}

#[test]
fn any_missing_tensor_is_named() {
    for source in backbones() {
        let names = tensors(&source.join("model.safetensors"));
        let mut names: Vec<String> = names.into_keys().collect();
        names.sort();
        for name in names
            .iter()
            .filter(|n| !n.contains("rope.freqs"))
            .step_by(7)
        {
            let folder = with_tensors(&source, |state| {
                state.remove(name);
            });
            let message = Backbone::load(folder.path()).unwrap_err().to_string();
            assert!(message.contains(name.as_str()), "{message:?} lacks {name}");
        }
    }
}

#[test]
fn wrong_shapes_types_and_values_are_named() {
    let source = backbone("open-clip-quickgelu");
    let name = "transformer.resblocks.1.mlp.c_fc.bias";
    let put = |tensor: Tensor| {
        with_tensors(&source, |state| {
            state.insert(name.into(), tensor);
        })
    };
    let cpu = &Device::Cpu;
    let folder = put(Tensor::zeros(127, DType::F32, cpu).unwrap());
    assert_refused(folder.path(), &[name, "[128]", "[127]"]);
    let folder = put(Tensor::zeros(128, DType::F64, cpu).unwrap());
    assert_refused(folder.path(), &[name, "f32", "F64"]);
    let folder = put(Tensor::full(f32::NAN, 128, cpu).unwrap());
    assert_refused(folder.path(), &[name, "finite", "NaN at element 0"]);
    let folder = put(Tensor::full(f32::NEG_INFINITY, 128, cpu).unwrap());
    assert_refused(folder.path(), &[name, "finite", "-inf"]);
}

#[test]
fn unexpected_tensors_are_named_and_known_buffers_ignored() {
    let cpu = &Device::Cpu;
    let source = backbone("hf-clip");
    let folder = with_tensors(&source, |state| {
        let ids = Tensor::zeros((1, 77), DType::I64, cpu).unwrap();
        state.insert("text_model.embeddings.position_ids".into(), ids);
    });
    assert!(Backbone::load(folder.path()).is_ok());
    let folder = with_tensors(&source, |state| {
        let bias = Tensor::zeros(24, DType::F32, cpu).unwrap();
        state.insert("text_projection.bias".into(), bias);
    });
    assert_refused(
        folder.path(),
        &["text_projection.bias", "unexpected tensor"],
    );
}

#[test]
fn a_rotary_table_of_another_model_is_refused() {
    let folder = with_tensors(&backbone("eva-clip-rei"), |state| {
        let name = "visual.rope.freqs_sin".to_owned();
        let turned = state[&name].neg().unwrap();
        state.insert(name, turned);
    });
    assert_refused(folder.path(), &["visual.rope.freqs_sin"]);
}

#[test]
fn a_gap_between_blocks_is_refused() {
    let folder = with_tensors(&backbone("open-clip-gelu"), |state| {
        state.retain(|name, _| !name.starts_with("transformer.resblocks.1."));
    });
    assert_refused(folder.path(), &["transformer.resblocks.N", "[0, 2]"]);
}

#[test]
fn folders_without_weights_or_configuration_say_what_to_put_there() {
    let source = backbone("open-clip-gelu");
    assert_refused(&source.join("nothing-here"), &["nothing-here", "folder"]);
    let folder = copy(&source);
    fs_err::remove_file(folder.path().join("config.json")).unwrap();
    assert_refused(
        folder.path(),
        &["open_clip_config.json", "config.json", "found none"],
    );
    let folder = copy(&source);
    fs_err::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert_refused(folder.path(), &["no weights", "model.safetensors"]);
    let folder = copy(&source);
    let other = backbone("hf-clip").join("config.json");
    fs_err::copy(other, folder.path().join("config.json")).unwrap();
    assert_refused(
        folder.path(),
        &["open-clip", "`text_cfg`", "config.json without them"],
    );
    let folder = copy(&source);
    fs_err::write(folder.path().join("config.json"), "{").unwrap();
    assert_refused(folder.path(), &["config.json", "not JSON"]);
}

#[test]
fn configurations_that_contradict_the_tensors_are_refused() {
    let source = backbone("open-clip-gelu");
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &[&str]); 9] = [
        (|c| c["embed_dim"] = 25.into(), &["embed_dim", "25", "24"]),
        (
            |c| c["text_cfg"]["width"] = 33.into(),
            &["text_cfg.width", "33", "32"],
        ),
        (
            |c| c["text_cfg"]["heads"] = 5.into(),
            &["text_cfg.heads", "5 heads"],
        ),
        (
            |c| c["text_cfg"]["heads"] = 0.into(),
            &["text_cfg.heads", "positive integer"],
        ),
        (
            |c| {
                c["text_cfg"].as_object_mut().unwrap().remove("heads");
            },
            &["text_cfg.heads", "the key is missing"],
        ),
        (
            |c| c["vision_cfg"]["image_size"] = 64.into(),
            &["vision_cfg.image_size", "64", "32"],
        ),
        (
            |c| c["quick_gelu"] = "yes".into(),
            &["quick_gelu", "true or false"],
        ),
        (
            |c| c["text_cfg"]["no_causal_mask"] = true.into(),
            &["text_cfg.no_causal_mask", "not supported"],
        ),
        (
            |c| c["vision_cfg"]["head_width"] = 48.into(),
            &["vision_cfg.head_width", "48"],
        ),
    ];
    for (change, parts) in cases {
        assert_refused(with_config(&source, change).path(), parts);
    }
}

#[test]
fn tensors_of_no_known_layout_are_refused() {
    let folder = with_tensors(&backbone("open-clip-gelu"), |state| {
        state.retain(|name, _| name.starts_with("visual."));
    });
    assert_refused(folder.path(), &["no text tower", "token_embedding.weight"]);
}
