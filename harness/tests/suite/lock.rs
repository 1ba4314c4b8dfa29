//! A lock says which plugins a suite was accepted with, and a run can be held to it.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

use crate::env::{TestEnv, library};

const SUITE: &str = "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
                     methods: [tip-adapter, averaged]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n\
                     recipe: {epochs: 1}\nplugins: [mine.so]\n";

/// A suite with a plugin beside it, and the lock of both.
fn locked() -> TestEnv {
    let env = TestEnv::new();
    env.write("suite.yaml", SUITE);
    std::fs::copy(library("harness_fixture_methods"), env.path("mine.so")).unwrap();
    let output = env.harness(&["plugin", "lock", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    env
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(env: &TestEnv) -> Output {
    env.harness(&["run", "suite.yaml", "--locked"])
}

/// Asserts that a locked run is refused in words before a plugin is loaded.
fn assert_refused(env: &TestEnv, words: &[&str]) {
    let output = run(env);
    assert_eq!(output.status.code(), Some(96), "{}", stderr(&output));
    for word in words {
        assert!(
            stderr(&output).contains(word),
            "{word:?} in {}",
            stderr(&output)
        );
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn a_locked_suite_runs_and_its_lock_names_what_it_uses() {
    let env = locked();
    let lock = std::fs::read_to_string(env.path("harness.lock")).unwrap();
    for line in [
        "name: harness-plugin-tip-adapter",
        "source: environment",
        "source: suite",
        "file: mine.so",
        "sha256: ",
    ] {
        assert!(lock.contains(line), "{line:?} in {lock}");
    }
    assert!(
        !lock.contains("harness-plugin-coop"),
        "unused plugins are not locked: {lock}"
    );
    let output = run(&env);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // The second suite of a folder leaves the first as it is.
    env.write(
        "other.yaml",
        SUITE
            .replace("plugins: [mine.so]\n", "")
            .replace(", averaged", ""),
    );
    env.harness(&["plugin", "lock", "other.yaml"]);
    let both = std::fs::read_to_string(env.path("harness.lock")).unwrap();
    assert!(both.contains("other.yaml:") && both.contains("file: mine.so"));
}

#[test]
fn a_plugin_that_changed_is_refused_before_its_code_runs() {
    let env = locked();
    env.write("mine.so", b"changed");
    assert_refused(&env, &["mine.so has the SHA-256", "harness plugin lock"]);
}

#[test]
fn a_plugin_that_was_added_or_is_gone_is_refused() {
    let env = locked();
    env.write("added.so", b"code");
    env.write(
        "suite.yaml",
        SUITE.replace("[mine.so]", "[mine.so, added.so]"),
    );
    assert_refused(&env, &["added.so (SHA-256", "is not in it"]);
    env.write("suite.yaml", SUITE.replace("[mine.so]", "[]"));
    assert_refused(&env, &["harness-fixture-methods", "was not found"]);
}

#[test]
fn a_suite_without_an_entry_and_a_damaged_lock_are_told_what_to_do() {
    let env = locked();
    std::fs::rename(env.path("suite.yaml"), env.path("renamed.yaml")).unwrap();
    let output = env.harness(&["plan", "renamed.yaml", "--locked"]);
    assert_eq!(output.status.code(), Some(96));
    let shown = stderr(&output);
    assert!(
        shown.contains("`harness plugin lock renamed.yaml` adds it"),
        "{shown}"
    );
    for damaged in [
        "version: 2\nsuites: {}\n",
        "version: 1\nsuites: [x]\n",
        "\u{0}",
    ] {
        env.write("harness.lock", damaged);
        let output = env.harness(&["plan", "renamed.yaml"]);
        assert_eq!(output.status.code(), Some(96));
        assert!(
            stderr(&output).contains("harness.lock: "),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_plugin_that_is_used_for_the_first_time_is_named_once() {
    let env = TestEnv::new();
    env.write("suite.yaml", SUITE);
    std::fs::copy(library("harness_fixture_methods"), env.path("mine.so")).unwrap();
    let plan = |variable: &str| {
        let mut command = env.command(&["plan", "suite.yaml"]);
        command.env("HARNESS_PLUGIN_PATH", variable);
        stderr(&command.output().unwrap())
    };
    let said = plan("");
    let first = said.contains("first use of the plugin") && said.contains("mine.so (SHA-256");
    assert!(first, "{said}");
    let said = plan("");
    assert!(!said.contains("first use"), "{said}");
}

#[test]
fn nothing_is_downloaded_from_a_repository_that_is_not_locked() {
    let env = TestEnv::new();
    let suite = "name: test\nupgrades: [{source: micro-clip, targets: [eva02-clip-b16]}]\n\
                 methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n";
    env.write("suite.yaml", suite);
    let output = env.harness(&["plugin", "lock", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("repositories=1"), "{shown}");
    let lock = std::fs::read_to_string(env.path("harness.lock")).unwrap();
    let (without, _) = lock.split_once("    downloads:").unwrap();
    env.write("harness.lock", without);
    let command = |arguments: &[&str]| {
        let mut command = env.command(&[&["run", "suite.yaml"], arguments].concat());
        // Nothing listens there.
        command.env("HF_ENDPOINT", "http://127.0.0.1:9");
        command
    };
    let said = stderr(&command(&["--locked"]).output().unwrap());
    let refused = said.contains("the repository timm/") && said.contains("is not in it");
    assert!(refused, "{said}");
    let mut child = command(&[]).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let first = lines.find(|line| line.contains("first download from timm/"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.unwrap().contains("which is not in a harness.lock"));
}
