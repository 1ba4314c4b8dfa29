//! What the methods' public repositories save: recognised, converted, or refused by name. That
//! converted modules compute what they did is tested with the plugins.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use harness_abi::wire::ModuleHeader;
use harness_checkpoint::{
    Converted, Form, ModuleMethod, Options, TrainingRecord, convert_module, inspect,
};
use safetensors::SafeTensors;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/modules")
}

fn record(method: &str) -> TrainingRecord {
    TrainingRecord {
        method: ModuleMethod::find(method).unwrap(),
        source: "clip-vit-b16".to_owned(),
        dataset: "dtd".to_owned(),
        classes: (0..6).map(|class| format!("c{class}")).collect(),
        seed: 1,
        init: Some("a photo of a".to_owned()),
        config: Map::new(),
        values: None,
    }
}

fn config(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The result and the header of the module, or the message.
fn convert(input: &Path, record: &TrainingRecord) -> Result<(Converted, ModuleHeader), String> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("module.safetensors");
    let converted = convert_module(input, &output, &Options::default(), record);
    let converted = converted.map_err(|error| {
        assert!(!output.exists(), "{error}");
        error.to_string()
    })?;
    let bytes = std::fs::read(&output).unwrap();
    let (_, head) = SafeTensors::read_metadata(&bytes).unwrap();
    let header = &head.metadata().as_ref().unwrap()[ModuleHeader::KEY];
    Ok((converted, serde_json::from_str(header).unwrap()))
}

#[test]
fn every_file_is_recognised() {
    for (file, form, methods) in [
        (
            "coop.pth.tar-50",
            Form::PyTorch,
            &["coop", "kgcoop", "prograd"][..],
        ),
        ("coop-csc.pth.tar-200", Form::PyTorch, &["coop"]),
        ("cocoop.pth.tar-10", Form::PyTorch, &["cocoop"]),
        ("kgcoop.pth.tar-100", Form::PyTorch, &["kgcoop"]),
        ("tcp.pth.tar-51", Form::PyTorch, &["tcp"]),
        ("maple.pth.tar-5", Form::PyTorch, &["maple"]),
        ("ivlp.pth.tar-5", Form::PyTorch, &["ivlp", "promptsrc"]),
        ("promptsrc.pth.tar-20", Form::PyTorch, &["promptsrc"]),
        ("deep-language.pth.tar-5", Form::PyTorch, &["deep-language"]),
        ("vpt.pth.tar-5", Form::PyTorch, &["vpt"]),
        ("lora_weights.pt", Form::PyTorch, &["clip-lora"]),
        (
            "keys_3shots.pt",
            Form::PyTorch,
            &["tip-adapter", "tip-adapter-f"],
        ),
        ("taskres.pth.tar-200", Form::PyTorch, &["taskres"]),
        ("clip-adapter.pth.tar-50", Form::PyTorch, &["clip-adapter"]),
        (
            "peft/adapter_model.safetensors",
            Form::Safetensors,
            &["clip-lora"],
        ),
        (
            "../golden/backbones/hf-clip/model.safetensors",
            Form::Safetensors,
            &[],
        ),
        (
            "../golden/backbones/eva-clip-rei/model.pt",
            Form::PyTorch,
            &[],
        ),
    ] {
        let found = inspect(&fixtures().join(file), &Options::default()).unwrap();
        let ids: Vec<&str> = found.methods.iter().map(|method| method.id()).collect();
        assert_eq!((found.form, ids.as_slice()), (form, methods), "{file}");
    }
    let lora = inspect(&fixtures().join("lora_weights.pt"), &Options::default()).unwrap();
    assert_eq!(lora.provenance["position"], "all");
    assert_eq!(lora.tensors["layer_0.q_proj.w_lora_A"].shape, [2, 32]);
    let plain = inspect(&fixtures().join("coop.pth.tar-50"), &Options::default()).unwrap();
    assert_eq!(plain.provenance["epoch"], "50");
    assert_eq!(plain.left_out, ["optimizer", "scheduler", "val_result"]);
}

#[test]
fn a_file_of_another_method_names_it() {
    for (file, method, parts) in [
        (
            "maple.pth.tar-5",
            "coop",
            ["no prompt learner of CoOp", "--module maple"],
        ),
        (
            "cocoop.pth.tar-10",
            "coop",
            ["no prompt learner of CoOp", "--module cocoop"],
        ),
        (
            "coop.pth.tar-50",
            "cocoop",
            ["of CoCoOp", "--module prograd"],
        ),
        ("vpt.pth.tar-5", "ivlp", ["of IVLP", "--module vpt"]),
        (
            "clip-adapter.pth.tar-50",
            "taskres",
            ["of TaskRes", "--module clip-adapter"],
        ),
        (
            "../pickles/nested.pt",
            "coop",
            ["no prompt learner of CoOp", "are those of no known method"],
        ),
    ] {
        let message = convert(&fixtures().join(file), &record(method)).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{file}: {message}");
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let none = TrainingRecord {
        classes: Vec::new(),
        ..record("taskres")
    };
    let five = |method: &str| TrainingRecord {
        classes: vec!["c".to_owned(); 5],
        ..record(method)
    };
    let unknown = TrainingRecord {
        config: config(json!({"alpah": 1})),
        ..record("taskres")
    };
    let searched = |method: &str| TrainingRecord {
        config: config(json!({"alpha": 1.17, "beta": 1})),
        ..record(method)
    };
    let elsewhere = TrainingRecord {
        values: Some("/nowhere/values.pt".into()),
        ..searched("tip-adapter")
    };
    for (file, record, part) in [
        (
            "taskres.pth.tar-200",
            none,
            "has 6 classes; list their ids in order with --classes",
        ),
        (
            "taskres.pth.tar-200",
            five("taskres"),
            "6 classes, but --classes lists 5",
        ),
        (
            "coop-csc.pth.tar-200",
            five("coop"),
            "6 classes, but --classes lists 5",
        ),
        (
            "coop.pth.tar-50",
            five("coop"),
            "`token_prefix` has 6 classes, but --classes lists 5",
        ),
        (
            "taskres.pth.tar-200",
            unknown,
            "has no key `alpah`; its keys are alpha",
        ),
        (
            "keys_3shots.pt",
            record("tip-adapter"),
            "prints alpha at the end of its search",
        ),
        (
            "keys_3shots.pt",
            searched("tip-adapter-f"),
            "need --module tip-adapter",
        ),
        (
            "best_F_3shots.pt",
            searched("tip-adapter"),
            "need --module tip-adapter-f",
        ),
        ("keys_3shots.pt", elsewhere, "/nowhere/values.pt"),
    ] {
        let message = convert(&fixtures().join(file), &record).unwrap_err();
        assert!(message.contains(part), "{file}: {message}");
    }
}

#[test]
fn what_is_left_out_is_summed_up() {
    let (converted, header) =
        convert(&fixtures().join("maple.pth.tar-5"), &record("maple")).unwrap();
    for left in [
        "image_encoder (2 tensors)",
        "text_encoder",
        "logit_scale",
        "token_suffix",
    ] {
        assert!(converted.left_out.iter().any(|name| name == left), "{left}");
    }
    assert_eq!(converted.tensors.len(), 9);
    assert_eq!(
        header.config,
        json!({"tokens": 2, "depth": 3, "init": "a photo of a"})
    );
    let given = TrainingRecord {
        config: config(json!({"alpha": 1})),
        ..record("taskres")
    };
    let (converted, header) = convert(&fixtures().join("taskres.pth.tar-200"), &given).unwrap();
    assert_eq!(header.config, json!({"alpha": 1.0}));
    assert!(
        converted
            .left_out
            .contains(&"base_text_features".to_owned())
    );
}

/// A copy of the PEFT folder with other values in its configuration.
fn peft(changes: Value) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let source = fixtures().join("peft");
    let weights = folder.path().join("adapter_model.safetensors");
    std::fs::copy(source.join("adapter_model.safetensors"), &weights).unwrap();
    let text = std::fs::read(source.join("adapter_config.json")).unwrap();
    let mut config: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    config.extend(changes.as_object().unwrap().clone());
    let path = folder.path().join("adapter_config.json");
    std::fs::write(path, serde_json::to_vec(&config).unwrap()).unwrap();
    (folder, weights)
}

#[test]
fn pefts_scale_is_kept_and_its_variants_are_refused() {
    for (changes, alpha) in [
        (json!({"lora_alpha": 4}), 4.0 / 2f64.sqrt()),
        (json!({"lora_alpha": 4, "use_rslora": true}), 4.0),
    ] {
        let (_folder, weights) = peft(changes);
        let (_, header) = convert(&weights, &record("clip-lora")).unwrap();
        assert_eq!(header.config["alpha"], json!(alpha));
        assert_eq!(
            header.config["blocks"],
            json!({"text": [0, 1, 2], "image": [0, 1, 2]})
        );
    }
    for (changes, key) in [
        (json!({"use_dora": true}), "`use_dora`"),
        (json!({"peft_type": "IA3"}), "`peft_type`"),
        (json!({"bias": "all"}), "`bias`"),
        (json!({"rank_pattern": {"q_proj": 4}}), "`rank_pattern`"),
        (
            json!({"modules_to_save": ["visual_projection"]}),
            "`modules_to_save`",
        ),
        (json!({"r": 8}), "`r`: expected 2"),
        (json!({"lora_alpha": null}), "`lora_alpha`"),
    ] {
        let (_folder, weights) = peft(changes);
        let message = convert(&weights, &record("clip-lora")).unwrap_err();
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (file, method) in [
        ("vpt.pth.tar-5", "vpt"),
        ("lora_weights.pt", "clip-lora"),
        ("peft/adapter_model.safetensors", "clip-lora"),
    ] {
        let whole = std::fs::read(fixtures().join(file)).unwrap();
        let path = folder.path().join("cut");
        for length in (0..whole.len()).step_by(61) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(
                convert(&path, &record(method)).is_err(),
                "{file} at {length}"
            );
            assert!(
                inspect(&path, &Options::default()).is_err(),
                "{file} at {length}"
            );
        }
    }
}
