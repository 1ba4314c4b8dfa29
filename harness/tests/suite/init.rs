//! The suite that `harness init` writes.

use std::process::Output;

use harness_report::Report;
use serde_json::Value;

use crate::env::{TestEnv, embedded};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The suite's own keys, from its schema.
fn keys(env: &TestEnv) -> Vec<String> {
    let schema: Value =
        serde_json::from_str(&succeeds(&env.harness(&["schema", "suite"]))).unwrap();
    let keys = schema["properties"].as_object().unwrap().keys();
    keys.cloned().collect()
}

#[test]
fn the_written_suite_runs_as_it_is() {
    let env = TestEnv::new();
    let stdout = succeeds(&env.harness(&["init"]));
    assert!(stdout.contains("harness run suite.yaml"), "{stdout}");
    let plan = succeeds(&env.harness(&["plan", "suite.yaml"]));
    assert!(plan.contains("micro-clip → micro-eva-clip"), "{plan}");
    assert!(plan.contains(" broken=0"), "{plan}");
    let only = ["--only", "method=coop,seed=1", "-o", "report.json"];
    succeeds(&env.harness(&[&["run", "suite.yaml"], &only[..]].concat()));
    let report = Report::read(env.path("report.json")).unwrap();
    assert_eq!(report.cells.len(), 1);
}

#[test]
fn every_key_is_explained_and_what_is_commented_out_is_valid() {
    let env = TestEnv::new();
    succeeds(&env.harness(&["init", "all.yaml"]));
    let written = std::fs::read_to_string(env.path("all.yaml")).unwrap();
    let keys = keys(&env);
    let is_key = |line: &str| keys.iter().any(|key| line.starts_with(&format!("{key}: ")));
    for key in &keys {
        let starts = [format!("{key}:"), format!("# {key}:")];
        let is_there = |line: &str| starts.iter().any(|start| line.starts_with(start));
        assert!(written.lines().any(is_there), "{key} in\n{written}");
    }
    std::fs::create_dir(env.path("plugins")).unwrap();
    let lines = written.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_key(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    });
    env.write("all.yaml", lines.collect::<String>());
    succeeds(&env.harness(&["plan", "all.yaml"]));
}

#[test]
fn own_backbones_and_data_are_named_as_the_suite_sees_them() {
    let env = TestEnv::new();
    let digits = std::fs::read_dir(embedded().join("datasets/digits")).unwrap();
    for entry in digits {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        env.write(&format!("mine/{name}"), std::fs::read(&path).unwrap());
    }
    for class in ["cat", "dog"] {
        env.write(&format!("photos/{class}/1.png"), "");
    }
    let source = embedded().join("backbones/micro-clip");
    let source = source.to_str().unwrap();
    let arguments = [
        "init",
        "new/up.yaml",
        "--source",
        source,
        "--target",
        "micro-clip-unrelated",
        "--data",
        "mine",
    ];
    succeeds(&env.harness(&arguments));
    let plan = succeeds(&env.harness(&["plan", "new/up.yaml"]));
    assert!(plan.contains("→ micro-clip-unrelated"), "{plan}");

    succeeds(&env.harness(&["init", "--data", "photos", "--data", "mine"]));
    let written = std::fs::read_to_string(env.path("suite.yaml")).unwrap();
    assert!(
        written.contains("  - name: ./photos\n    # Shares") && written.contains("  - ./mine\n"),
        "{written}"
    );
}

#[test]
fn a_file_is_only_overwritten_on_request_and_unknown_names_are_refused() {
    let env = TestEnv::new();
    env.write("suite.yaml", "mine");
    let output = env.harness(&["init"]);
    assert_eq!(output.status.code(), Some(110));
    assert!(text(&output.stderr).contains("--force"));
    let read = || std::fs::read_to_string(env.path("suite.yaml")).unwrap();
    assert_eq!(read(), "mine");
    for (flag, name) in [("--target", "micro-evaclip"), ("--data", "./nowhere")] {
        let output = env.harness(&["init", "--force", flag, name]);
        assert_eq!(output.status.code(), Some(96));
        assert!(
            text(&output.stderr).contains(name),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(read(), "mine");
    }
    succeeds(&env.harness(&["init", "--force"]));
    assert_ne!(read(), "mine");
}
