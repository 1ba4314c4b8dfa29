//! What the command line says, and how it ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::env::TestEnv;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Status, stdout and stderr as one text. What differs from machine to machine,
/// such as which plugins are built, is taken out.
fn shown(output: &Output) -> String {
    let stderr = text(&output.stderr);
    let stderr = stderr.lines().filter(|line| !line.starts_with("warning: "));
    let stderr: String = stderr.map(|line| format!("{line}\n")).collect();
    let stdout = text(&output.stdout);
    let stdout = stdout.lines().filter(|line| !line.contains("GFLOP/s"));
    let stdout: String = stdout.map(|line| format!("{line}\n")).collect();
    format!(
        "status {}\n--- stdout\n{}--- stderr\n{stderr}",
        output.status.code().unwrap(),
        stdout,
    )
}

#[test]
fn the_help_says_what_there_is() {
    let env = TestEnv::without_plugins();
    insta::assert_snapshot!("help", shown(&env.harness(&["--help"])));
    insta::assert_snapshot!("help_run", shown(&env.harness(&["run", "--help"])));
    assert!(!text(&env.harness(&["--help"]).stdout).contains("worker"));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let env = TestEnv::without_plugins();
    for arguments in [
        &["walk"][..],
        &["run"],
        &["run", "x.yaml", "--jobs", "0"],
        &["run", "x.yaml", "-o", "report.pdf"],
        &["run", "x.yaml", "--only", "metod=coop"],
        &["list", "plugins"],
    ] {
        let output = env.harness(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_suite_that_is_not_there_is_named() {
    let output = TestEnv::without_plugins().harness(&["run", "nowhere.yaml"]);
    insta::assert_snapshot!(shown(&output));
}

#[test]
fn mistakes_are_reported_before_anything_runs() {
    let env = TestEnv::without_plugins();
    env.write(
        "wrong.yaml",
        "\
name: wrong
upgrades:
  - source: micro-clap
    targets: []
methods:
  - {id: 3}
datasets: [shaps]
shots: [-1]
sedes: [1]
",
    );
    for command in ["run", "plan"] {
        let output = env.harness(&[command, "wrong.yaml"]);
        insta::assert_snapshot!("mistakes", shown(&output));
    }
}

#[test]
fn a_plugin_that_is_not_there_is_an_error_and_a_broken_one_a_warning() {
    let env = TestEnv::without_plugins();
    env.write(
        "suite.yaml",
        "\
name: x
upgrades: [{source: micro-clip, targets: [micro-eva-clip]}]
methods: [no-such-method]
datasets: [shapes]
shots: [1]
seeds: [1]
plugins: [./mine.so]
",
    );
    let output = env.harness(&["run", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    let message = text(&output.stderr);
    assert!(
        message.contains("no plugin at ./mine.so (`plugins` of the suite)"),
        "{message}"
    );

    env.write("mine.so", "this is no library");
    let output = env.harness(&["run", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    let message = text(&output.stderr);
    let warning = message.lines().find(|line| line.contains("mine.so"));
    assert!(
        warning.is_some_and(|line| line.starts_with("warning: cannot use the plugin")),
        "{message}"
    );
    assert!(
        message.contains("suite.yaml:3:11: unknown method \"no-such-method\""),
        "{message}"
    );
}

#[test]
fn a_folder_that_is_no_backbone_is_an_error_with_its_path() {
    let env = TestEnv::without_plugins();
    let output = env.harness(&["list", "backbones"]);
    // The checkout that the executable is built in may have backbones of its own.
    assert!([0, 96].contains(&output.status.code().unwrap()));
    let embedded = env.folder.path().join("embedded");
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["list", "backbones"])
        .env("HARNESS_EMBEDDED", &embedded)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(96));
    let message = text(&output.stderr);
    assert_eq!(message.lines().count(), 2, "{message}");
    assert!(
        message.contains("embedded/backbones/micro-clip"),
        "{message}"
    );
}

#[test]
fn nothing_to_list_is_an_error_with_a_hint() {
    let env = TestEnv::without_plugins();
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["list", "datasets"])
        .env("HARNESS_EMBEDDED", env.folder.path().join("nowhere"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(96));
    assert!(
        text(&output.stderr).contains("\nhint: "),
        "{}",
        text(&output.stderr)
    );
}

/// A suite whose backbones are published and on nobody's disk here.
const PUBLISHED: &str = "\
name: x
upgrades: [{source: clip-vit-l14, targets: ['hf:org/name@refs/pr/1', mine]}]
methods: []
datasets: [shapes]
shots: [1]
seeds: [1]
";

#[test]
fn what_is_missing_offline_is_named_with_size_and_place() {
    let env = TestEnv::without_plugins();
    env.write("suite.yaml", PUBLISHED);
    env.write("backbones.yaml", "mine: {path: gone}\n");
    let output = env
        .command(&["fetch", "suite.yaml"])
        .env("HF_HOME", "hf")
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    insta::assert_snapshot!(shown(&output));
}

#[test]
fn mistakes_in_names_of_backbones_are_explained() {
    let env = TestEnv::without_plugins();
    env.write(
        "suite.yaml",
        "upgrades: [{source: clip-vit-b61, targets: ['hf:org', mine]}]\n",
    );
    env.write("own.yaml", "mine: {repo: org/name, licens: mit}\n");
    let fetch = |env: &TestEnv, own: &str| {
        let mut command = env.command(&["fetch", "suite.yaml"]);
        command.env("HARNESS_BACKBONES", own).output().unwrap()
    };
    insta::assert_snapshot!("own_backbones", shown(&fetch(&env, "own.yaml")));
    env.write("own.yaml", "mine: {repo: org/name, licence: mit}\n");
    insta::assert_snapshot!("names_of_backbones", shown(&fetch(&env, "own.yaml")));
}

#[test]
fn a_store_that_cannot_be_written_ends_with_110() {
    let env = TestEnv::without_plugins();
    env.write("suite.yaml", "name: x\n");
    env.write("file", "");
    let output = env.harness(&["run", "suite.yaml", "--store", "file/store"]);
    assert_eq!(output.status.code(), Some(110));
    assert!(
        text(&output.stderr).contains("file/store"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_report_is_exported_in_the_format_of_the_ending() {
    let env = TestEnv::without_plugins();
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/quickstart.json");
    let report = report.to_str().unwrap();
    let output = env.harness(&["export", report, "-o", "r.html", "-o", "r.summary.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(env.folder.path().join(name)).unwrap();
    assert!(read("r.html").starts_with("<!doctype html>"));
    // A head, and 5 methods on 7 data sets across 2 upgrades.
    assert_eq!(read("r.summary.csv").lines().count(), 71);

    env.write("file", "");
    let output = env.harness(&["export", report, "-o", "file/r.md", "-o", "r.md"]);
    assert_eq!(output.status.code(), Some(110));
    assert!(
        text(&output.stderr).contains("file/r.md"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        read("r.md").starts_with("# quickstart"),
        "the other file is written all the same"
    );

    for (arguments, status, word) in [
        (&["export", report][..], 2, "--output"),
        (
            &["export", report, "-o", "r.pdf"],
            2,
            "expected one of .json, ",
        ),
        (
            &["export", "nowhere.json", "-o", "r.md"],
            96,
            "nowhere.json",
        ),
    ] {
        let output = env.harness(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(word),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_checkpoint_is_converted_within_limits_or_refused_in_one_line() {
    let env = TestEnv::without_plugins();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let path = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    let read = |name: &str| std::fs::read(env.folder.path().join(name)).unwrap();
    let convert = |input: &str, more: &[&str]| {
        let input = path(input);
        let arguments = [&["convert", &input, "-o", "out.safetensors"], more].concat();
        env.harness(&arguments)
    };

    let output = convert("golden/backbones/eva-clip-rei/model.pt", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let sha256 =
        harness_store::sha256_file(&fixtures.join("golden/backbones/eva-clip-rei/model.pt"));
    let sha256 = sha256.unwrap();
    assert!(text(&output.stdout).contains(&sha256));
    let written = read("out.safetensors");
    assert!(String::from_utf8_lossy(&written).contains(&sha256));
    let expected = path("golden/backbones/eva-clip-rei/model.safetensors");
    assert_eq!(
        tensors(&written),
        tensors(&std::fs::read(expected).unwrap())
    );

    let learner = "pickles/model.pth.tar-50";
    let trained = [
        "--source",
        "clip-vit-b16",
        "--dataset",
        "dtd",
        "--seed",
        "1",
    ];
    let output = convert(learner, &[&["--module", "coop"], &trained[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("token_prefix, token_suffix"));
    let module = read("out.safetensors");
    let (_, head) = safetensors::SafeTensors::read_metadata(&module).unwrap();
    let header = &head.metadata().as_ref().unwrap()["harness"];
    let header: serde_json::Value = serde_json::from_str(header).unwrap();
    assert_eq!(header["format"], "harness-module/1");
    assert_eq!(header["config"]["context"]["length"], 4);
    let names: Vec<String> = tensors(&module).into_keys().collect();
    assert_eq!(names, ["ctx"]);

    for (input, more, word) in [
        ("pickles/calls-a-command.pt", &[][..], "system"),
        (
            "golden/backbones/eva-clip-rei/model.pt",
            &["--memory", "1"],
            "--memory",
        ),
        (
            "golden/backbones/eva-clip-rei/config.json",
            &[],
            "no zip archive",
        ),
        ("golden/backbones/eva-clip-rei", &[], "not a file"),
    ] {
        let output = convert(input, more);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(96), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(word), "{said}");
        assert_eq!(read("out.safetensors"), module, "what was there is intact");
    }
    let files = std::fs::read_dir(env.folder.path()).unwrap();
    assert_eq!(files.count(), 2, "nothing but the output is left");

    let input = path("golden/backbones/eva-clip-rei/model.pt");
    let output = env.harness(&["convert", &input, "-o", "nowhere/out.safetensors"]);
    assert_eq!(output.status.code(), Some(110));
    assert!(text(&output.stderr).contains("nowhere/out.safetensors"));
}

#[test]
fn a_file_is_described_with_the_command_that_uses_it() {
    let env = TestEnv::without_plugins();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let path = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    let inspect = |name: &str| {
        let output = env.harness(&["inspect", name]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    for (file, parts) in [
        (
            "modules/cocoop.pth.tar-10",
            ["prompt learner of CoCoOp", "--module cocoop --source"],
        ),
        (
            "modules/keys_3shots.pt",
            [
                "cache of Tip-Adapter",
                "--classes FILE --config '{\"alpha\"",
            ],
        ),
        (
            "modules/peft",
            ["lora_A.weight [2, 32] F32", "--module clip-lora"],
        ),
        (
            "golden/backbones/eva-clip-rei/model.pt",
            ["a backbone, layout eva-clip", "-o FOLDER/model.safetensors"],
        ),
        (
            "golden/backbones/hf-clip",
            ["a backbone, layout hf-clip", "harness verify"],
        ),
    ] {
        let found = inspect(&path(file));
        for part in parts {
            assert!(found.contains(part), "{file}: {found}");
        }
    }
    let (peft, module) = (path("modules/peft"), "module.safetensors");
    let trained = ["--source", "./clip", "--dataset", "dtd", "--seed", "1"];
    let convert = ["convert", &peft, "-o", module, "--module", "clip-lora"];
    let output = env.harness(&[&convert[..], &trained[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found = inspect(module);
    let expected = "module of clip-lora, trained on ./clip with dtd (seed 1)";
    assert!(found.contains(expected), "{found}");
    let output = env.harness(&["inspect", &path("pickles/calls-a-command.pt")]);
    assert_eq!(output.status.code(), Some(96));
    assert!(text(&output.stderr).contains("system"));
}

/// Type, shape and bytes of every tensor of a safetensors file.
fn tensors(file: &[u8]) -> BTreeMap<String, (String, Vec<usize>, Vec<u8>)> {
    let file = safetensors::SafeTensors::deserialize(file).unwrap();
    let tensors = file.tensors().into_iter();
    tensors
        .map(|(name, view)| {
            let kind = format!("{:?}", view.dtype());
            (name, (kind, view.shape().to_vec(), view.data().to_vec()))
        })
        .collect()
}

#[test]
fn completions_know_every_command() {
    let env = TestEnv::without_plugins();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = env.harness(&["completions", shell]);
        assert!(output.status.success());
        let script = text(&output.stdout);
        for command in [
            "run",
            "plan",
            "fetch",
            "export",
            "list",
            "schema",
            "completions",
        ] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let status = Command::new("/bin/sh")
        .args([
            "-c",
            "\"$0\" schema report | head -c 1 > /dev/null",
            env!("CARGO_BIN_EXE_harness"),
        ])
        .output()
        .unwrap();
    assert!(status.status.success());
    assert_eq!(text(&status.stderr), "");
}

#[test]
fn nothing_is_left_in_the_folder_by_commands_that_only_look() {
    let env = TestEnv::without_plugins();
    env.harness(&["list", "methods"]);
    env.harness(&["schema", "suite"]);
    assert!(!Path::new(&env.folder.path().join(".harness")).exists());
}

#[test]
fn the_cache_is_listed_verified_and_cleaned() {
    let env = TestEnv::without_plugins();
    let log = format!(
        "log of unit abc, sha256 {}\ntorn",
        harness_store::sha256_hex(b"torn")
    );
    env.write(".harness/units/abc", "torn");
    env.write(".harness/logs/abc.log", &log);
    // Of another machine, and not written to for two hours.
    let draft = "modules/abc.0123456789ab-1-0.part";
    env.write(&format!(".harness/{draft}"), "torn");
    let file = std::fs::File::options()
        .write(true)
        .open(env.path(".harness").join(draft))
        .unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    file.set_modified(long_ago).unwrap();
    let cache = |arguments: &[&str], status: i32| {
        let output = env.harness(&[&["cache"], arguments].concat());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        text(&output.stdout)
    };
    let listed = cache(&["ls"], 0);
    assert!(listed.contains("\nmodules"), "{listed}");
    assert!(
        listed.contains(&format!(" files=3 bytes={} removable=2\n", 8 + log.len())),
        "{listed}"
    );
    let verified = cache(&["verify"], 96);
    assert_eq!(
        verified,
        "units/abc: it has no digest line\nSummary files=3 damaged=1\n"
    );
    let gone = "\
units/abc: damaged: it has no digest line
modules/abc.0123456789ab-1-0.part: left by a process that is gone
";
    let summary = "=2 bytes=8 units=1 modules=1\n";
    assert_eq!(
        cache(&["gc", "--dry-run"], 0),
        format!("{gone}Summary would-remove{summary}")
    );
    assert_eq!(cache(&["gc"], 0), format!("{gone}Summary removed{summary}"));
    assert_eq!(cache(&["gc"], 0), "Summary removed=0 bytes=0\n");
    assert_eq!(cache(&["verify"], 0), "Summary files=1 damaged=0\n");
    let old = cache(&["gc", "--older-than", "0"], 0);
    assert!(
        old.starts_with("logs/abc.log: ")
            && old.ends_with(&format!("=1 bytes={} logs=1\n", log.len())),
        "{old}"
    );
}
