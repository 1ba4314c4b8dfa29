//! Checkpoints as the methods' public repositories save them: converted, loaded into the real
//! plugin, and compared with the logits that PyTorch computed from the same parameters.

use std::path::{Path, PathBuf};

use harness_abi::wire::{Probe, Split};
use harness_checkpoint::{ModuleMethod, Options, TrainingRecord, convert_module};
use harness_host::module_file::read_header;
use serde_json::{Value, json};

use crate::plugins::plugin;
use crate::reference::{MethodTask, assert_close, committed, tensors, values};

/// A checkpoint, its method and plugin, the case with its logits, and what the file does not
/// contain.
struct Case {
    file: &'static str,
    method: ModuleMethod,
    package: &'static str,
    golden: &'static str,
    config: Value,
}

fn case(file: &'static str, id: &str, package: &'static str, golden: &'static str) -> Case {
    Case {
        file,
        method: ModuleMethod::find(id).unwrap(),
        package,
        golden,
        config: json!({}),
    }
}

fn cases() -> Vec<Case> {
    let cache = json!({"alpha": 1.17, "beta": 1.0, "scale": "backbone"});
    vec![
        case("coop.pth.tar-50", "coop", "harness-plugin-coop", "coop"),
        case(
            "coop-csc.pth.tar-200",
            "coop",
            "harness-plugin-coop",
            "coop-csc",
        ),
        case(
            "cocoop.pth.tar-10",
            "cocoop",
            "harness-plugin-cocoop",
            "cocoop",
        ),
        case(
            "kgcoop.pth.tar-100",
            "kgcoop",
            "harness-plugin-kgcoop",
            "kgcoop",
        ),
        case(
            "prograd.pth.tar-100",
            "prograd",
            "harness-plugin-prograd",
            "prograd",
        ),
        case("tcp.pth.tar-51", "tcp", "harness-plugin-tcp", "tcp"),
        case("maple.pth.tar-5", "maple", "harness-plugin-maple", "maple"),
        case(
            "ivlp.pth.tar-5",
            "ivlp",
            "harness-plugin-deep-prompts",
            "ivlp",
        ),
        Case {
            // Words of the reference vectors; they matter in training alone.
            config: json!({"teacher_templates": ["a photo of a {}."]}),
            ..case(
                "promptsrc.pth.tar-20",
                "promptsrc",
                "harness-plugin-promptsrc",
                "promptsrc",
            )
        },
        case(
            "deep-language.pth.tar-5",
            "deep-language",
            "harness-plugin-deep-language",
            "deep-language",
        ),
        case(
            "vpt.pth.tar-5",
            "vpt",
            "harness-plugin-deep-prompts",
            "vpt-deep",
        ),
        case(
            "lora_weights.pt",
            "clip-lora",
            "harness-plugin-clip-lora",
            "clip-lora",
        ),
        case(
            "peft/adapter_model.safetensors",
            "clip-lora",
            "harness-plugin-clip-lora",
            "clip-lora",
        ),
        case(
            "taskres.pth.tar-200",
            "taskres",
            "harness-plugin-taskres",
            "taskres",
        ),
        case(
            "clip-adapter.pth.tar-50",
            "clip-adapter",
            "harness-plugin-clip-adapter",
            "clip-adapter",
        ),
        Case {
            config: cache.clone(),
            ..case(
                "keys_3shots.pt",
                "tip-adapter",
                "harness-plugin-tip-adapter",
                "tip-adapter-f",
            )
        },
        Case {
            config: cache,
            ..case(
                "best_F_3shots.pt",
                "tip-adapter-f",
                "harness-plugin-tip-adapter",
                "tip-adapter-f",
            )
        },
    ]
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/modules")
}

#[test]
fn golden_converted_modules_give_the_logits_of_their_repositories() {
    let task = MethodTask::of(&committed(), "open-clip-quickgelu");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("module.safetensors");
    for case in cases() {
        let record = TrainingRecord {
            method: case.method,
            source: "s".to_owned(),
            dataset: "d".to_owned(),
            classes: task.class_ids(),
            seed: 1,
            init: Some("a photo of a".to_owned()),
            config: case.config.as_object().unwrap().clone(),
            values: None,
        };
        let input = fixtures().join(case.file);
        convert_module(&input, &output, &Options::default(), &record).unwrap();
        let module = std::fs::read(&output).unwrap();
        let header = read_header(&module).unwrap();
        assert_eq!(header.method, case.method.id());
        let plugin = plugin(case.package);
        let method = plugin.open(case.method.id(), &header.config).unwrap();
        let probe = Probe {
            split: Split::Train,
            rows: (0..task.batch() as u32).collect(),
        };
        let bench = task.training();
        let (_, answer) = method.probe(bench.object(), &module, &probe).unwrap();
        let golden = committed().join(format!("methods/{}.safetensors", case.golden));
        let expected = values(&tensors(&golden)["logits"]);
        assert_close(case.file, &answer[0].values, &expected);
    }
}
