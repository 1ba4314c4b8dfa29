//! Methods in Python. Needs an interpreter with numpy: HARNESS_TEST_PYTHON, or else `python3`;
//! where neither has it the tests are skipped.

use std::path::PathBuf;
use std::process::{Command, Output};

use harness_report::{Cell, Condition, Conditions, Report, Status};

use crate::env::{TestEnv, root};

/// An interpreter that can import a library; none where the tests of it are to be skipped.
pub(crate) fn python(library: &str) -> Option<PathBuf> {
    let named = std::env::var_os("HARNESS_TEST_PYTHON").map(PathBuf::from);
    let program = named.clone().unwrap_or_else(|| "python3".into());
    let imports = Command::new(&program)
        .args(["-c", &format!("import {library}")])
        .output()
        .is_ok_and(|output| output.status.success());
    assert!(
        imports || named.is_none() || library != "numpy",
        "HARNESS_TEST_PYTHON cannot import numpy"
    );
    if !imports {
        eprintln!("{} has no {library}: skipped", program.display());
    }
    imports.then_some(program)
}

/// A method that comes with the package.
fn example(name: &str) -> String {
    let path = root().join("harness/python/examples").join(name);
    path.to_str().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A suite of one data set with some methods, as flow sequences.
fn suite(methods: &str, more: &str) -> String {
    format!(
        "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
         methods: [{methods}]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n{more}\n"
    )
}

fn harness(env: &TestEnv, python: &PathBuf, arguments: &[&str]) -> Output {
    let mut command = env.command(arguments);
    command
        .env("HARNESS_PYTHON", python)
        .env("HF_HUB_OFFLINE", "1");
    command.output().unwrap()
}

fn run(env: &TestEnv, python: &PathBuf) -> (Output, Report) {
    let output = harness(env, python, &["run", "suite.yaml", "-o", "report.json"]);
    let report = Report::read(env.path("report.json"));
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    (output, report)
}

fn conditions(cell: &Cell) -> [&Condition; 2] {
    let Conditions { base, new, .. } = &cell.conditions;
    [base, new].map(|condition| condition.as_ref().unwrap())
}

/// Asserts that two methods predict the same, up to images on the edge.
fn assert_same(report: &Report, names: [&str; 2]) {
    let cell = |name: &str| {
        let mut cells = report.cells.iter();
        cells.find(|cell| cell.method == name).unwrap()
    };
    let [ours, theirs] = names.map(cell);
    assert_eq!((&ours.status, &theirs.status), (&Status::Ok, &Status::Ok));
    for (a, b) in conditions(ours).into_iter().zip(conditions(theirs)) {
        let difference = a.correct.abs_diff(b.correct);
        assert!(
            difference <= a.total / 500,
            "{names:?}: {} and {} of {}",
            a.correct,
            b.correct,
            a.total
        );
    }
}

#[test]
fn a_method_in_numpy_is_trained_and_moved_like_the_same_one_in_rust() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let entry = format!(
        "coop, {{id: coop-numpy, python: {:?}}}",
        example("coop_numpy.py")
    );
    env.write("suite.yaml", suite(&entry, "recipe: {epochs: 5}"));
    let (output, report) = run(&env, &python);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_same(&report, ["coop", "coop-numpy"]);
}

#[test]
fn a_method_in_torch_is_trained_and_moved_like_the_same_one_in_rust() {
    let Some(python) = python("torch") else {
        return;
    };
    let env = TestEnv::new();
    let methods = "coop, coop-py";
    let plugins = format!("recipe: {{epochs: 5}}\nplugins: [{:?}]", example("coop.py"));
    env.write("suite.yaml", suite(methods, &plugins));
    let (output, report) = run(&env, &python);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_same(&report, ["coop", "coop-py"]);
}

#[test]
fn the_suite_of_the_examples_has_each_method_twice() {
    let Some(python) = python("torch") else {
        return;
    };
    let env = TestEnv::new();
    let suite = example("quickstart.yaml");
    let plan = ["plan", &suite, "--only", "dataset=digits"];
    let output = harness(&env, &python, &plan);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let plan = text(&output.stdout);
    assert!(
        plan.contains("not-injectable=0 waiting=0 broken=0"),
        "{plan}"
    );
    for id in ["coop", "kgcoop", "contcoop", "clip-lora", "tip-adapter-f"] {
        assert!(plan.contains(&format!("{id}-py ")), "{plan}");
    }
}

/// The other methods of the package, on an epoch or two of the quickstart's data.
#[test]
fn methods_in_torch_give_the_cells_of_those_in_rust() {
    let Some(python) = python("torch") else {
        return;
    };
    let env = TestEnv::new();
    let pairs = [
        ("kgcoop", "kgcoop-py", "kgcoop.py", "{epochs: 4}"),
        ("contcoop", "contcoop-py", "contcoop.py", "{epochs: 4}"),
        (
            "clip-lora",
            "clip-lora-py",
            "clip_lora.py",
            "{steps_per_shot: 20}",
        ),
        (
            "tip-adapter-f",
            "tip-adapter-f-py",
            "tip_adapter_f.py",
            "{epochs: 4}",
        ),
    ];
    let entries = pairs.map(|(rust, id, file, recipe)| {
        let file = example(file);
        format!(
            "{{id: {rust}, recipe: {recipe}}}, {{id: {id}, python: {file:?}, recipe: {recipe}}}"
        )
    });
    env.write("suite.yaml", suite(&entries.join(", "), ""));
    let (output, report) = run(&env, &python);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (rust, id, ..) in pairs {
        assert_same(&report, [rust, id]);
    }
}

#[test]
fn a_new_python_file_passes_its_checks_and_gives_a_matrix_untouched() {
    let env = TestEnv::new();
    let output = env.harness(&["plugin", "new", "my-method", "--python"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let script = std::fs::read_to_string(env.path("my_method.py")).unwrap();
    assert!(script.contains("class MyMethod(Method):"), "{script}");
    assert!(
        !script.contains("@TYPE@") && !script.contains("@NAME@"),
        "{script}"
    );
    let again = env.harness(&["plugin", "new", "my-method", "--python"]);
    assert_eq!(again.status.code(), Some(110), "{}", text(&again.stderr));
    let Some(python) = python("torch") else {
        return;
    };
    let succeeds = |arguments: &[&str]| {
        let output = harness(&env, &python, arguments);
        let stdout = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{stdout}{}",
            text(&output.stderr)
        );
        stdout
    };
    let shown = succeeds(&["plugin", "check", "my_method.py"]);
    assert!(shown.contains(" failed=0 skipped=0 not-run=0"), "{shown}");
    let shown = succeeds(&["plugin", "try", "my_method.py", "--shots", "2"]);
    assert!(
        shown.contains("gradients agree with finite differences"),
        "{shown}"
    );
    let shown = succeeds(&["plugin", "inspect", "my_method.py"]);
    assert!(
        shown.contains("  config      length (integer) = 4: M, the number"),
        "{shown}"
    );
    assert!(shown.contains("no licence stated, numpy "), "{shown}");
    env.write("suite.yaml", suite("coop", "recipe: {epochs: 1}"));
    let shown = succeeds(&["run", "suite.yaml", "--plugin", "my_method.py"]);
    assert!(shown.contains("my-method"), "{shown}");
}

#[test]
fn a_check_of_a_faulty_script_names_the_fault() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let method = std::fs::read_to_string(example("coop_numpy.py")).unwrap();
    env.write(
        "mine.py",
        method.replace(
            "encoded.vjp(of_text[None])[0]",
            "0.5 * encoded.vjp(of_text[None])[0]",
        ),
    );
    let output = harness(&env, &python, &["plugin", "check", "mine.py"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(107), "{shown}");
    assert!(
        shown.contains("the gradient of parameter `ctx` disagrees"),
        "{shown}"
    );
    let output = harness(&env, &python, &["plugin", "try", "mine.py", "--shots", "1"]);
    assert_eq!(output.status.code(), Some(107));
}

/// A method that goes wrong in its classifier, as its configuration says.
const HOSTILE: &str = r#"
import os, signal, sys, time
from dataclasses import dataclass
from typing import Literal
import numpy as np
from harness_sdk import Card, Parameter
from harness_sdk.numpy import Method

FDS = range(3, 12)

def raw(data):
    for fd in FDS:
        try: os.write(fd, data)
        except OSError: pass

@dataclass
class Config:
    what: str = "nothing"

class Hostile(Method):
    card = Card(id="hostile")
    Config = Config

    @classmethod
    def parameters(cls, config, setting):
        return [Parameter("x", [1])]

    def classifier(self, host, parameters):
        what = self.config.what
        if what == "crash": os.kill(os.getpid(), signal.SIGSEGV)
        if what == "exit": os._exit(3)
        if what == "sys-exit": sys.exit(4)
        if what == "hang": time.sleep(1000)
        if what == "stop": os.kill(os.getpid(), signal.SIGSTOP)
        if what == "garbage": raw(b"hello, this is no frame of the protocol")
        if what == "long-head": raw(b"\xff" * 12)
        if what == "no-json": raw(b"\x02\0\0\0" + b"\0" * 8 + b"[]")
        if what == "unknown": raw(b"\x0c\0\0\0" + b"\0" * 8 + b'{"ask": "x"}')
        if what == "close": os.closerange(3, 64); time.sleep(1000)
        if what == "fork-and-exit":
            if os.fork() == 0: time.sleep(1000)
            os._exit(5)
        if what == "leave":
            if os.fork() == 0:
                os.setsid(); time.sleep(1000)
        if what == "print":
            for _ in range(400): print("x" * 99_999)
        if what == "stdin": assert sys.stdin.read() == ""
        if what == "memory": bytearray(1 << 42)
        if what == "recursion": self.classifier(host, parameters)
        if what == "raise": raise ValueError("two\nlines")
        if what == "shape": return np.zeros((2, 2), np.float32)
        if what == "other-host":
            host.number += 1; host.labels("train")
        return host.zero_shot()
"#;

#[test]
fn whatever_a_script_does_is_the_status_of_its_cell() {
    let Some(python) = python("numpy") else {
        return;
    };
    let crashed = |says: &'static str| ("crashed", says);
    let failed = |says: &'static str| ("failed", says);
    let cases = [
        ("nothing", ("ok", "")),
        (
            "crash",
            crashed("was ended by signal 11 (segmentation fault)"),
        ),
        ("exit", crashed("ended with status 3 before it answered")),
        ("sys-exit", crashed("ended with status 4")),
        ("hang", ("timed-out", "")),
        ("stop", ("timed-out", "")),
        ("garbage", crashed("broke the protocol: it wrote a head of")),
        ("long-head", crashed("a head of 4294967295 bytes")),
        ("no-json", crashed("no JSON object")),
        ("unknown", crashed("malformed message of the script")),
        ("close", crashed("")),
        ("fork-and-exit", crashed("ended with status 5")),
        ("leave", ("ok", "")),
        ("print", ("ok", "")),
        ("stdin", ("ok", "")),
        (
            "memory",
            failed("in `classifier` of `hostile` (hostile.py:"),
        ),
        ("recursion", failed("RecursionError")),
        ("raise", failed("ValueError: two lines")),
        ("shape", failed("in `logits` of `hostile`")),
        ("other-host", failed("a host of another call was asked")),
    ];
    let env = TestEnv::new();
    env.write("hostile.py", HOSTILE);
    let entries = cases.iter().map(|(what, _)| {
        format!("{{id: hostile, label: {what}, python: hostile.py, config: {{what: {what}}}}}")
    });
    let entries: Vec<String> = entries.collect();
    env.write("suite.yaml", suite(&entries.join(", "), "time_limit: 6"));
    let (output, report) = run(&env, &python);
    for (cell, (what, (status, says))) in report.cells.iter().zip(cases) {
        let (found, message) = match &cell.status {
            Status::Ok => ("ok", String::new()),
            Status::Failed { message } => ("failed", message.clone()),
            Status::Crashed { message, .. } => ("crashed", message.clone()),
            Status::TimedOut { .. } => ("timed-out", String::new()),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(found, status, "{what}: {message}");
        assert!(message.contains(says), "{what}: {message}");
        assert!(!message.contains('\n'), "{what}: {message:?}");
    }
    assert_eq!(report.cells.len(), cases.len(), "{}", text(&output.stderr));
}

#[test]
fn the_key_of_a_cell_covers_the_script_and_what_it_imports() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let method = std::fs::read_to_string(example("coop_numpy.py")).unwrap();
    env.write("mine.py", format!("from package import helper\n{method}"));
    env.write("package/__init__.py", "");
    env.write("package/helper.py", "from . import deeper\n");
    env.write("package/deeper.py", "VALUE = 1\n");
    env.write("beside.py", "VALUE = 1\n");
    let entry = "{id: coop-numpy, python: mine.py}";
    env.write("suite.yaml", suite(entry, "recipe: {epochs: 1}"));
    let digest = || {
        let (output, report) = run(&env, &python);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let [plugin] = report.plugins.as_slice() else {
            panic!("{:?}", report.plugins);
        };
        assert_eq!(plugin.file, "mine.py");
        plugin.sha256.clone()
    };
    let first = digest();
    env.write("beside.py", "VALUE = 2\n");
    assert_eq!(digest(), first);
    env.write("package/deeper.py", "VALUE = 2\n");
    let second = digest();
    assert_ne!(second, first);
    env.write(
        "mine.py",
        format!("from package import helper  # 2\n{method}"),
    );
    assert_ne!(digest(), second);
}

#[test]
fn a_file_that_is_loaded_behind_the_harness_back_is_refused() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let method = std::fs::read_to_string(example("coop_numpy.py")).unwrap();
    let hidden = "import importlib\nimportlib.import_module('hidden')\n";
    env.write("mine.py", format!("{hidden}{method}"));
    env.write("hidden.py", "");
    env.write("suite.yaml", suite("{id: coop-numpy, python: mine.py}", ""));
    let (_, report) = run(&env, &python);
    let Status::Failed { message } = &report.cells[0].status else {
        panic!("{:?}", report.cells[0].status);
    };
    assert!(
        message.contains("mine.py loads hidden.py in a way"),
        "{message}"
    );
}

#[test]
fn what_is_missing_is_one_line_that_says_how_to_get_it() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let stderr = |script: &str, interpreter: &PathBuf| {
        env.write("mine.py", script);
        env.write("suite.yaml", suite("{id: mine, python: mine.py}", ""));
        let output = harness(&env, interpreter, &["plan", "suite.yaml"]);
        assert_ne!(output.status.code(), Some(0));
        let stderr = text(&output.stderr);
        let mistake = stderr.lines().find(|line| line.contains("suite.yaml:3:"));
        mistake.unwrap_or_else(|| panic!("{stderr}")).to_owned()
    };
    for (script, says) in [
        ("import no_such_library", "-m pip install no_such_library"),
        ("import numpy as np\nnp.x(", "mine.py:2: SyntaxError"),
        ("1 / 0", "mine.py:1: ZeroDivisionError"),
        ("x = 1", "mine.py defines no method"),
        (
            "from harness_sdk import Card\nfrom harness_sdk.numpy import Method\n\
             class A(Method):\n    card = Card(id='other')\n    parameters = lambda *_: []\n",
            "mine.py has no method \"mine\", only other",
        ),
        (
            "from dataclasses import dataclass\nfrom harness_sdk import Card\n\
             from harness_sdk.numpy import Method\n@dataclass\nclass C:\n    x: int\n\
             class A(Method):\n    card = Card(id='mine')\n    Config = C\n",
            "every field of C needs a default",
        ),
    ] {
        let found = stderr(script, &python);
        assert!(found.contains(says), "{found}");
    }
    let found = stderr("", &"/nowhere/python".into());
    assert!(found.contains("cannot run /nowhere/python"), "{found}");
    assert!(found.contains("--python names another"), "{found}");
}

#[test]
fn the_command_line_comes_before_the_suite_and_the_suite_before_the_environment() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let interpreter = |folder: &str, line: &str| {
        env.write(
            &format!("{folder}/bin/python"),
            format!("#!/bin/sh\n{line}\n"),
        );
        let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(env.path(&format!("{folder}/bin/python")), everyone).unwrap();
    };
    interpreter("sound", &format!("exec {} \"$@\"", python.display()));
    interpreter("broken", "exit 7");
    let plan = |of_suite: &str, more: &[&str]| {
        let entry = format!("{{id: coop-numpy, python: {:?}}}", example("coop_numpy.py"));
        env.write("suite.yaml", suite(&entry, of_suite));
        let mut command = env.command(&[&["plan", "suite.yaml"], more].concat());
        command.env("VIRTUAL_ENV", env.path("broken"));
        let output = command.env("HF_HUB_OFFLINE", "1").output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (_, stderr) = plan("", &[]);
    let says = "broken/bin/python ended with status 7 before it answered";
    assert!(stderr.contains(says), "{stderr}");
    let (code, stderr) = plan("python: ./sound", &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stderr) = plan("python: ./broken", &["--python", "sound/bin/python"]);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn an_entry_has_its_script_to_itself() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let method = std::fs::read_to_string(example("coop_numpy.py")).unwrap();
    env.write("mine.py", method.replace("coop-numpy", "coop"));
    let entries = "coop, {id: coop, label: mine, python: ./mine.py}";
    env.write("suite.yaml", suite(entries, "recipe: {epochs: 2}"));
    let (output, report) = run(&env, &python);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_same(&report, ["coop", "mine"]);
    // Without the suite's plugins nothing of it is read.
    let refused = harness(
        &env,
        &python,
        &["plan", "suite.yaml", "--no-plugins-from-suite"],
    );
    let stderr = text(&refused.stderr);
    assert!(
        stderr.contains("not read with --no-plugins-from-suite"),
        "{stderr}"
    );
    // Nor is the entry's configuration anything but checked.
    let wrong = "{id: coop, python: ./mine.py, config: {lenght: 2}}";
    env.write("suite.yaml", suite(wrong, ""));
    let stderr = text(&harness(&env, &python, &["plan", "suite.yaml"]).stderr);
    assert!(stderr.contains("did you mean \"length\"?"), "{stderr}");
}

#[test]
fn a_lock_holds_a_script_and_what_it_imports() {
    let Some(python) = python("numpy") else {
        return;
    };
    let env = TestEnv::new();
    let method = std::fs::read_to_string(example("coop_numpy.py")).unwrap();
    env.write("mine.py", format!("import beside\n{method}"));
    env.write("beside.py", "X = 1\n");
    env.write(
        "suite.yaml",
        suite("{id: coop-numpy, python: mine.py}", "recipe: {epochs: 1}"),
    );
    let locked = harness(&env, &python, &["plugin", "lock", "suite.yaml"]);
    assert_eq!(locked.status.code(), Some(0), "{}", text(&locked.stderr));
    let run = || harness(&env, &python, &["run", "suite.yaml", "--locked"]);
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    env.write("beside.py", "import os\nos._exit(9)\n");
    let output = run();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(96), "{said}");
    assert!(said.contains("beside.py has the SHA-256"), "{said}");
    env.write("beside.py", "X = 1\n");
    env.write("mine.py", "import os\nos._exit(9)\n");
    let said = text(&run().stderr);
    assert!(said.contains("mine.py has the SHA-256"), "{said}");
}
