//! A plugin built against the oldest supported ABI, from its own frozen copy of
//! the types, still loads and runs; one with other layouts is refused in a line.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use harness_abi::wire::{RecipeChanges, Split, TrainJob};
use harness_host::plugin::LoadedPlugin;

use crate::reference::{MethodTask, assert_close};

/// Builds the frozen plugin; both variants share one target folder, so that
/// abi_stable is built once.
fn build(name: &str, features: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/abi-1.0");
    let exe = std::env::current_exe().unwrap();
    let target = exe.ancestors().nth(3).unwrap().join("abi-1.0");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(frozen.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(["--features", features, "--package", "frozen-plugin"])
        .status()
        .unwrap();
    assert!(status.success(), "the frozen plugin does not build");
    let suffix = std::env::consts::DLL_SUFFIX;
    let file = format!("{}frozen_plugin{suffix}", std::env::consts::DLL_PREFIX);
    let kept = target.join(format!("{name}{suffix}"));
    std::fs::copy(target.join("debug").join(file), &kept).unwrap();
    kept
}

#[test]
fn a_plugin_of_the_oldest_supported_abi_loads_and_runs() {
    let plugin = LoadedPlugin::load(&build("frozen", "")).unwrap();
    assert_eq!(plugin.descriptor().methods[0].id, "frozen");
    let method = plugin.open("frozen", &serde_json::Value::Null).unwrap();
    let task = MethodTask::load();
    let job = TrainJob {
        seed: 1,
        recipe: RecipeChanges::default(),
        check_gradients: false,
    };
    let trained = method.train(task.training().object(), &job).unwrap();
    let predictor = method
        .inject(task.evaluation().object(), &trained.module)
        .unwrap();
    let rows: Vec<u32> = (0..task.batch() as u32).collect();
    let logits = predictor
        .logits(Split::Test, &rows, task.classes())
        .unwrap();
    let bench = task.evaluation();
    let classes = bench.class_embeddings().unwrap();
    let expected = bench.zero_shot(task.features(), &classes).unwrap();
    let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
    // Its carried scale is 2, the backbone's own e².
    let rescaled: Vec<f32> = logits.iter().map(|v| v / 2.0 * 2f32.exp()).collect();
    assert_close("frozen", &rescaled, &expected);
}

#[test]
fn other_type_layouts_are_refused_in_one_line() {
    let error = LoadedPlugin::load(&build("other-layout", "other-layout"))
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(
        text.contains("expected the type layouts of plugin ABI 1.2"),
        "{text}"
    );
    assert!(text.contains("other-layout"), "{text}");
    assert!(text.contains("rebuild the plugin"), "{text}");
    assert!(!text.contains('\n') && text.len() < 600, "{text}");
}
