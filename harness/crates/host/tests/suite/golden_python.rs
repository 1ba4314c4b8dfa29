//! Methods in Python against the same independent formulas as those in Rust: logits, loss,
//! gradients and three steps, through the protocol and the real boundary.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness_abi::wire::Script;
use harness_host::plugin::LoadedPlugin;
use serde_json::{Value, json};

use crate::{
    golden_methods::{Case, agrees_in, group, read},
    plugins::library,
    reference::{MethodTask, committed},
};

/// An interpreter that can import a library; none where the tests of it are to be skipped.
fn python(library: &str) -> Option<PathBuf> {
    let named = std::env::var_os("HARNESS_TEST_PYTHON").map(PathBuf::from);
    let program = named.unwrap_or_else(|| "python3".into());
    let mut import = Command::new(&program);
    let imports = import.args(["-c", &format!("import {library}")]).output();
    match imports.is_ok_and(|output| output.status.success()) {
        true => Some(program),
        false => {
            eprintln!("{} has no {library}: skipped", program.display());
            None
        }
    }
}

/// Checks a case with the method of a script, which is called otherwise than that in Rust.
fn check(python: &Path, case: &str, script: &str, id: &'static str, config: &dyn Fn(&mut Value)) {
    let path = committed().join(format!("methods/{case}.safetensors"));
    let (about, all) = read(&path);
    let mut found = Case::find(case, &about, &group(&all, "param.")).unwrap();
    found.id = id;
    config(&mut found.config);
    let examples = committed().join("../../python/examples");
    let script = Script {
        path: std::fs::canonicalize(examples.join(script))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
        interpreter: python.to_str().unwrap().to_owned(),
    };
    // One library runs one script, and the same file is the same library.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("libpython_bridge.so");
    std::fs::copy(library("harness-plugin-python"), &copy).unwrap();
    let plugin = LoadedPlugin::load_script(&copy, &script).unwrap();
    let task = MethodTask::of(&committed(), "open-clip-quickgelu");
    agrees_in(&plugin, &format!("{id} {case}"), &found, &all, &task);
}

fn unchanged(_: &mut Value) {}

#[test]
fn methods_in_torch_agree_with_independent_formulas() {
    let Some(python) = python("torch") else {
        return;
    };
    let check = |case, script, id, config| check(&python, case, script, id, config);
    check("coop", "coop.py", "coop-py", &unchanged);
    check("coop-csc", "coop.py", "coop-py", &unchanged);
    check("kgcoop", "kgcoop.py", "kgcoop-py", &unchanged);
    check(
        "contcoop-name-tokens",
        "contcoop.py",
        "contcoop-py",
        &unchanged,
    );
    check(
        "contcoop-text-feature",
        "contcoop.py",
        "contcoop-py",
        &unchanged,
    );
    check("clip-lora", "clip_lora.py", "clip-lora-py", &unchanged);
    let own_scale = |config: &mut Value| *config = json!({"own_scale": true});
    check(
        "tip-adapter-f",
        "tip_adapter_f.py",
        "tip-adapter-f-py",
        &own_scale,
    );
}

#[test]
fn a_method_in_numpy_agrees_with_an_independent_formula() {
    let Some(python) = python("numpy") else {
        return;
    };
    let flat = |config: &mut Value| *config = config["context"].take();
    check(&python, "coop", "coop_numpy.py", "coop-numpy", &flat);
}
