//! Runs for trackers and the card of a module, read back by the trackers' own packages. Needs an
//! interpreter that has them: HARNESS_TEST_PYTHON, or else `python3`; without it the test is skipped.

use std::path::PathBuf;
use std::process::Command;

use harness_report::Report;
use serde_json::Value;

use crate::env::{TestEnv, root};

/// The packages that read what was written.
const PACKAGES: &str = "import tensorboard, mlflow, huggingface_hub, wandb.sdk.internal.datastore";

fn python() -> Option<PathBuf> {
    let named = std::env::var_os("HARNESS_TEST_PYTHON").map(PathBuf::from);
    let program = named.unwrap_or_else(|| "python3".into());
    let imports = Command::new(&program).args(["-c", PACKAGES]).output();
    let has_all = imports.is_ok_and(|output| output.status.success());
    let is_required = std::env::var_os("HARNESS_REQUIRE_TRACKERS").is_some_and(|v| v == "1");
    assert!(
        has_all || !is_required,
        "{} lacks a package",
        program.display()
    );
    if !has_all {
        eprintln!(
            "{} lacks a package of the trackers: skipped",
            program.display()
        );
    }
    has_all.then_some(program)
}

fn exported() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: tracked\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop, kgcoop]\ndatasets: [digits]\nshots: [2]\nseeds: [1]\nrecipe: {epochs: 2}\n",
    );
    let run = env.harness(&["run", "suite.yaml", "-o", "report.json"]);
    assert!(run.status.success(), "{run:?}");
    let export = env.harness(&[
        "export",
        "report.json",
        "--tensorboard",
        "out/tensorboard",
        "--mlflow",
        "out/mlflow",
        "--wandb",
        "out/wandb",
    ]);
    assert!(export.status.success(), "{export:?}");
    env
}

#[test]
fn the_trackers_read_what_was_exported() {
    let Some(python) = python() else {
        return;
    };
    let env = exported();
    let only = ["--only", "method=coop", "--model-card", "out/README.md"];
    let card = env.harness(&[&["export", "report.json"][..], &only].concat());
    assert!(card.status.success(), "{card:?}");
    let output = Command::new(python)
        .arg(root().join("harness/python/tests/read_trackers.py"))
        .arg(env.path("out"))
        .env("HOME", env.path("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = Report::read(env.path("report.json")).unwrap();
    assert_eq!(
        found["mlflow"]["experiments"],
        serde_json::json!(["tracked"])
    );
    let runs = found["mlflow"]["runs"].as_object().unwrap();
    assert_eq!(runs.len(), report.cells.len());
    for (id, run) in runs {
        let method = run["settings"]["method"].as_str().unwrap();
        let cell = report.cells.iter().find(|cell| cell.method == method);
        let cell = cell.unwrap();
        let training = cell.training.as_ref().unwrap();
        let new = cell.conditions.new.as_ref().unwrap().accuracy;
        for tracker in [run, &found["wandb"][id], &found["tensorboard"][id]] {
            let shown = tracker["metrics"]["micro-eva-clip/new"].as_f64().unwrap();
            assert!((shown - new).abs() < 1e-6, "{id}: {shown} for {new}");
            let losses = tracker["losses"].as_array().unwrap();
            assert_eq!(losses.len(), training.losses.len(), "{tracker}");
            for (shown, loss) in losses.iter().zip(&training.losses) {
                let shown = shown.as_f64().unwrap();
                assert!(
                    (shown - f64::from(*loss)).abs() < 1e-6,
                    "{shown} for {loss}"
                );
            }
        }
        assert_eq!(run["status"], "FINISHED");
        let wandb = &found["wandb"][id];
        assert_eq!(wandb["name"], run["name"]);
        assert_eq!(wandb["project"], "tracked");
        assert_eq!(wandb["settings"], run["settings"]);
        assert_eq!(wandb["has_ended"], true);
    }
    let coop = report
        .cells
        .iter()
        .find(|cell| cell.method == "coop")
        .unwrap();
    let base = coop.conditions.base.as_ref().unwrap().accuracy;
    assert_eq!(
        found["card"]["accuracies"]["Base (source), micro-clip"],
        base
    );
    assert_eq!(found["card"]["dataset"], "digits");
}

#[test]
fn a_card_of_several_modules_is_refused_with_what_to_choose() {
    let env = TestEnv::new();
    let report = root().join("reports/quickstart.json");
    let output = env.harness(&[
        "export",
        report.to_str().unwrap(),
        "--model-card",
        "README.md",
    ]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr
            .contains("found 35: choose one with --only, as in --only method=coop,dataset=shapes,"),
        "{stderr}"
    );
    assert!(!env.path("README.md").exists());
}
