//! What is called an interpreter may be missing, end at once, or be another program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use harness_plugin_python::Python;
use harness_sdk::{
    script::ScriptPlugin,
    testkit::ToyHost,
    wire::{Script, Setting},
};

/// The error of opening a script with an interpreter.
fn refusal(interpreter: &str) -> String {
    let host = ToyHost::source().unwrap();
    let setting: Setting = serde_json::from_str(&host.object().setting()).unwrap();
    let script = Script {
        path: "/methods/mine.py".into(),
        interpreter: interpreter.into(),
    };
    let opened = Python::open(&script, &setting);
    opened.err().unwrap().to_string()
}

#[test]
fn one_that_is_missing_is_named_with_its_script_and_the_option_that_names_another() {
    let refusal = refusal("/nowhere/python3");
    for part in [
        "cannot run /nowhere/python3, the interpreter of /methods/mine.py",
        "No such file",
        "--python",
    ] {
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn one_that_ends_before_it_answers_is_told_with_its_status() {
    let refusal = refusal("false");
    assert!(
        refusal.contains("false ended with status 1 before it answered"),
        "{refusal}"
    );
}

#[test]
fn a_program_that_is_no_python_breaks_the_protocol() {
    let refusal = refusal("echo");
    assert!(refusal.contains("echo broke the protocol"), "{refusal}");
}
