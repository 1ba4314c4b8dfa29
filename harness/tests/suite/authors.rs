//! What the author of a method meets: faults with their place, prints, warnings, new plugins.

use std::path::{Path, PathBuf};
use std::process::Output;

use harness_report::{Report, Status};

use crate::env::{TestEnv, library};

fn fixture() -> PathBuf {
    library("harness_fixture_methods")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A suite of one misbehaving method, with the fixture's library at `plugin`.
fn misbehaving(env: &TestEnv, what: &str, plugin: &Path) {
    env.write(
        "suite.yaml",
        format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: [{{id: misbehaving, config: {{misbehaviour: {what}}}}}]\n\
             datasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {{epochs: 1}}\n\
             plugins: [{plugin:?}]\n"
        ),
    );
}

fn run(env: &TestEnv, more: &[&str]) -> (Output, Status) {
    let output = env.harness(&[&["run", "suite.yaml", "-o", "report.json"], more].concat());
    let report = Report::read(env.path("report.json")).unwrap();
    (output, report.cells[0].status.clone())
}

#[test]
fn a_misspelled_weight_on_the_source_fails_with_its_name_and_log_and_fails_again() {
    let env = TestEnv::new();
    misbehaving(&env, "unknown-weight", &fixture());
    for _ in 0..2 {
        let (output, status) = run(&env, &[]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(103), "{stderr}");
        let Status::Failed { message } = status else {
            panic!("{status:?}");
        };
        assert!(message.contains("blocks.0.attn.qq.weight"), "{message}");
        let log = stderr.lines().find_map(|line| line.strip_prefix("log: "));
        let log = std::fs::read_to_string(env.path(log.expect(&stderr))).unwrap();
        assert!(log.contains("blocks.0.attn.qq.weight"), "{log}");
    }
}

#[test]
fn a_training_that_cannot_be_injected_is_final_when_resumed() {
    let env = TestEnv::new();
    misbehaving(&env, "unfit", &fixture());
    for _ in 0..2 {
        let (output, status) = run(&env, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let reason = "needs another backbone".to_owned();
        assert_eq!(status, Status::NotInjectable { reason });
    }
}

#[test]
fn an_error_of_a_tensor_names_hook_step_and_function() {
    let env = TestEnv::new();
    misbehaving(&env, "shape-mismatch", &fixture());
    let (_, status) = run(&env, &[]);
    let Status::Failed { message } = status else {
        panic!("{status:?}");
    };
    let start = "in `logits` of `misbehaving`, step 0: shape mismatch in matmul";
    assert!(message.starts_with(start), "{message}");
    assert!(
        message.contains("harness_fixture_methods::misbehaving::Misbehaving"),
        "{message}"
    );
}

#[test]
fn prints_of_a_plugin_are_shown_on_request() {
    let env = TestEnv::new();
    misbehaving(&env, "talkative", &fixture());
    let (output, status) = run(&env, &["--show-log"]);
    assert_eq!(status, Status::Ok);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("loss scale "), "{stderr}");
    let (output, _) = run(&env, &["--fresh"]);
    assert!(!text(&output.stderr).contains("loss scale "));
}

#[test]
fn a_plugin_built_without_optimisation_is_warned_of() {
    let env = TestEnv::new();
    let mut bytes = std::fs::read(fixture()).unwrap();
    let record = bytes.windows(8).position(|window| window == b"HARNESSP");
    // Byte 13 of the version record is the optimisation level.
    bytes[record.unwrap() + 13] = b'0';
    env.write("slow.so", bytes);
    misbehaving(&env, "talkative", &env.path("slow.so"));
    for command in ["plan", "run"] {
        let output = env.harness(&[command, "suite.yaml"]);
        let stderr = text(&output.stderr);
        assert!(
            stderr.contains("slow.so were built at opt-level 0"),
            "{stderr}"
        );
    }
    misbehaving(&env, "talkative", &fixture());
    let stderr = text(&env.harness(&["plan", "suite.yaml"]).stderr);
    assert!(!stderr.contains("opt-level"), "{stderr}");
}

#[test]
fn a_folder_of_plugins_gives_every_plugin_whatever_its_name() {
    let env = TestEnv::new();
    std::fs::create_dir(env.path("mine")).unwrap();
    std::fs::copy(fixture(), env.path("mine/libmy_method.so")).unwrap();
    let mut command = env.command(&["plugin", "inspect", "misbehaving", "--dims", "b16"]);
    let output = command.env("HARNESS_PLUGIN_PATH", env.path("mine"));
    let output = output.output().unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(shown.contains("libmy_method.so"), "{shown}");
    assert!(shown.contains("  config      misbehaviour ("), "{shown}");
    assert!(shown.contains("= null: What goes wrong"), "{shown}");
}

#[test]
fn a_suite_is_run_with_other_methods_without_editing_it() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [kgcoop, {id: coop, label: long, config: {context: {length: 2}}}]\n\
         datasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
    );
    let fixture = fixture();
    let methods = |more: &[&str]| -> Vec<String> {
        let output = env.harness(&[&["run", "suite.yaml", "-o", "report.json"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report = Report::read(env.path("report.json")).unwrap();
        report.cells.into_iter().map(|cell| cell.method).collect()
    };
    assert_eq!(methods(&["--method", "coop"]), ["long"]);
    let plugin = ["--plugin", fixture.to_str().unwrap()];
    assert_eq!(
        methods(&[&plugin[..], &["--method", "averaged", "--method", "kgcoop"]].concat()),
        ["averaged", "kgcoop"]
    );
    let output = env.harness(&["run", "suite.yaml", "--method", "kgcop"]);
    assert_eq!(output.status.code(), Some(96));
    assert!(text(&output.stderr).contains("did you mean kgcoop?"));
    let output = env.harness(&["plan", "suite.yaml", "--plugin", "nowhere.so"]);
    assert_eq!(output.status.code(), Some(96));
    assert!(text(&output.stderr).contains("--plugin nowhere.so"));
}

#[test]
fn a_new_plugin_is_written_once() {
    let env = TestEnv::new();
    let output = env.harness(&["plugin", "new", "my-method", "--sdk", "0.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |path: &str| std::fs::read_to_string(env.path("my-method").join(path)).unwrap();
    assert!(read("Cargo.toml").contains("harness-sdk = \"0.1\""));
    assert!(read("src/lib.rs").contains("export_plugin!(MyMethod);"));
    assert!(read("tests/conformance.rs").contains("conformance!(my_method::MyMethod)"));
    assert!(
        read("src/lib.rs").contains(r#"format!("{name}.")"#),
        "the class's name is not the plugin's"
    );
    for path in [
        "Cargo.toml",
        "src/lib.rs",
        "tests/conformance.rs",
        "suite.yaml",
        "README.md",
        ".gitignore",
    ] {
        for placeholder in ["@NAME@", "@CRATE@", "@TYPE@", "@LIBRARY@", "@SDK@"] {
            assert!(!read(path).contains(placeholder), "{path}: {placeholder}");
        }
    }
    assert!(read(".github/workflows/check.yml").contains("actions/checkout@v4"));
    let again = env.harness(&["plugin", "new", "my-method"]);
    assert_eq!(again.status.code(), Some(110), "{}", text(&again.stderr));
    let bad = env.harness(&["plugin", "new", "My_Method"]);
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn a_sound_plugin_passes_every_check_in_every_variant() {
    let env = TestEnv::new();
    let plugin = library("harness_plugin_coop");
    let output = env.harness(&["plugin", "check", plugin.to_str().unwrap()]);
    let shown = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{shown}{}",
        text(&output.stderr)
    );
    assert!(shown.contains("coop {\"class_specific\":true}"), "{shown}");
    assert!(shown.contains("  passed  training "), "{shown}");
    assert!(shown.contains(" failed=0 skipped=0 not-run=0"), "{shown}");
}

#[test]
fn a_fault_of_a_plugin_is_reported_once_by_the_check_it_fails() {
    let env = TestEnv::new();
    let plugin = fixture();
    for (misbehaviour, says, skipped) in [
        (
            "partial-gradient",
            "the gradient of parameter `ctx` disagrees",
            5,
        ),
        ("unknown-weight", "blocks.0.attn.qq.weight", 5),
        ("abort", "signal 6", 5),
    ] {
        let config = format!("{{\"misbehaviour\": {misbehaviour:?}}}");
        let output = env.harness(&[
            "plugin",
            "check",
            plugin.to_str().unwrap(),
            "--method",
            "misbehaving",
            "--config",
            &config,
            "--json",
        ]);
        let shown = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(107),
            "{shown}{}",
            text(&output.stderr)
        );
        let lines: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
        let with = |outcome: &str| -> Vec<&serde_json::Value> {
            lines
                .iter()
                .filter(|line| line["outcome"] == outcome)
                .collect()
        };
        let failed = with("failed");
        assert_eq!(failed.len(), 1, "{shown}");
        assert_eq!(failed[0]["check"], "training");
        assert!(
            failed[0]["message"].as_str().unwrap().contains(says),
            "{shown}"
        );
        assert_eq!(with("skipped").len(), skipped, "{shown}");
    }
}
