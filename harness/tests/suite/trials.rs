//! `harness plugin try` and `harness plugin compare`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::env::{TestEnv, library};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn coop() -> PathBuf {
    library("harness_plugin_coop")
}

/// What `harness/scripts/compare_coop.py` wrote, without the pixels.
fn expected() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/compare/coop.safetensors")
}

fn plugin(env: &TestEnv, what: &str, library: &Path, more: &[&str]) -> Output {
    let library = library.to_str().unwrap();
    env.harness(&[&["plugin", what, library], more].concat())
}

#[test]
fn a_trial_shows_what_the_training_did_and_what_the_module_is_worth() {
    let env = TestEnv::new();
    let output = plugin(&env, "try", &coop(), &["--shots", "2"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        shown.starts_with("coop on digits, 2 shots, seed 1: micro-clip → "),
        "{shown}"
    );
    assert!(
        shown.contains("gradients agree with finite differences"),
        "{shown}"
    );
    let json = plugin(&env, "try", &coop(), &["--shots", "2", "--json"]);
    let trial: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let losses = trial["losses"].as_array().unwrap();
    let loss = |at: usize| losses[at].as_f64().unwrap();
    assert_eq!(losses.len(), 50);
    assert!(loss(49) < loss(0), "{losses:?}");
    let points = |value: &serde_json::Value| format!("{:.2} %", 100.0 * value.as_f64().unwrap());
    for accuracy in [
        &trial["base"],
        &trial["zero_target"],
        &trial["new"]["accuracy"],
    ] {
        assert!(shown.contains(&points(accuracy)), "{accuracy} in {shown}");
    }
}

#[test]
fn a_trial_shows_prints_and_the_place_of_a_fault() {
    let env = TestEnv::new();
    let fixture = library("harness_fixture_methods");
    let run = |misbehaviour: &str| {
        let config = format!("{{\"misbehaviour\": \"{misbehaviour}\"}}");
        let more = [
            "--method",
            "misbehaving",
            "--shots",
            "1",
            "--config",
            &config,
        ];
        plugin(&env, "try", &fixture, &more)
    };
    let talkative = run("talkative");
    assert_eq!(
        talkative.status.code(),
        Some(0),
        "{}",
        text(&talkative.stderr)
    );
    assert!(text(&talkative.stderr).contains("loss scale "));
    let broken = run("shape-mismatch");
    let stderr = text(&broken.stderr);
    assert_eq!(broken.status.code(), Some(107), "{stderr}");
    assert!(
        stderr.contains("in `logits` of `misbehaving`, step 0"),
        "{stderr}"
    );
}

#[test]
fn a_trial_is_repeated_when_the_library_changes() {
    let env = TestEnv::new();
    let copy = env.path("libmine.so");
    std::fs::copy(coop(), &copy).unwrap();
    let mut child = env
        .command(&["plugin", "try", "libmine.so", "--shots", "1", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut waits = || {
        stderr
            .by_ref()
            .any(|line| line.unwrap().starts_with("waiting for changes"))
    };
    assert!(waits());
    // Another file under the same name, as a linker writes it.
    std::fs::copy(coop(), env.path("next")).unwrap();
    std::fs::rename(env.path("next"), &copy).unwrap();
    assert!(waits());
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let mut shown = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut shown).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(
        shown.matches("coop on digits, 1 shots").count(),
        2,
        "{shown}"
    );
}

#[test]
fn a_folder_that_builds_no_plugin_says_what_is_missing() {
    let env = TestEnv::new();
    let folder = env.path("crate");
    let tried = || plugin(&env, "try", &folder, &[]);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    assert!(text(&tried().stderr).contains("expected a shared library or the folder of a crate"));
    let manifest =
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    env.write("crate/Cargo.toml", manifest);
    env.write("crate/src/lib.rs", "fn broken(");
    assert!(text(&tried().stderr).contains("it does not build"));
    env.write("crate/src/lib.rs", "");
    let stderr = text(&tried().stderr);
    assert!(stderr.contains("builds no shared library"), "{stderr}");
    assert!(stderr.contains("crate-type"), "{stderr}");
}

#[test]
fn coop_agrees_with_pytorch() {
    let env = TestEnv::new();
    let file = expected();
    let output = plugin(
        &env,
        "compare",
        &coop(),
        &["--expected", file.to_str().unwrap()],
    );
    let shown = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{shown}{}",
        text(&output.stderr)
    );
    assert!(shown.contains("agrees   grad.ctx [4, 128]"), "{shown}");
    assert!(
        shown.ends_with("Summary tensors=4 agree=4 differ=0\n"),
        "{shown}"
    );
}

type Tensors = HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// The tensors of a file, changed.
fn changed(env: &TestEnv, name: &str, change: impl FnOnce(&mut Tensors)) -> PathBuf {
    let bytes = std::fs::read(expected()).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        let tensor = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        tensors.insert(name.to_owned(), tensor);
    }
    change(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    let written = safetensors::serialize(views, metadata.metadata().clone()).unwrap();
    env.write(name, written);
    env.path(name)
}

#[test]
fn what_differs_is_named_with_its_place() {
    let env = TestEnv::new();
    let file = changed(&env, "off.safetensors", |tensors| {
        let (_, _, gradient) = tensors.get_mut("grad.ctx").unwrap();
        // Row 1, column 2 of [4, 128].
        gradient[4 * 130..4 * 131].copy_from_slice(&1f32.to_le_bytes());
    });
    let output = plugin(
        &env,
        "compare",
        &coop(),
        &["--expected", file.to_str().unwrap()],
    );
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(107), "{shown}");
    assert!(shown.contains("differs  grad.ctx [4, 128]"), "{shown}");
    assert!(shown.contains("at [1, 2]: expected 1, found "), "{shown}");
    assert!(
        shown.ends_with("Summary tensors=4 agree=3 differ=1\n"),
        "{shown}"
    );
}

#[test]
fn files_that_cannot_be_compared_say_why() {
    let env = TestEnv::new();
    let said = |file: &Path| {
        let output = plugin(
            &env,
            "compare",
            &coop(),
            &["--expected", file.to_str().unwrap()],
        );
        assert_ne!(output.status.code(), Some(0));
        text(&output.stderr)
    };
    env.write("text.safetensors", "hello, this is no such file");
    assert!(said(&env.path("text.safetensors")).contains("not a safetensors file"));
    let bare = safetensors::serialize(HashMap::<String, TensorView<'_>>::new(), None).unwrap();
    env.write("bare.safetensors", bare);
    assert!(said(&env.path("bare.safetensors")).contains("no description of a comparison"));
    let shape = changed(&env, "shape.safetensors", |tensors| {
        tensors.get_mut("param.ctx").unwrap().1 = vec![128, 4];
    });
    let stderr = said(&shape);
    assert!(
        stderr.contains("param.ctx: expected the shape [4, 128], found [128, 4]"),
        "{stderr}"
    );
    let other = changed(&env, "other.safetensors", |tensors| {
        let (_, _, labels) = tensors.get_mut("labels").unwrap();
        labels.rotate_left(8);
    });
    assert!(said(&other).contains("its labels are not those of this data set"));
    let nothing = changed(&env, "nothing.safetensors", |tensors| {
        tensors.retain(|name, _| name.starts_with("param."));
    });
    assert!(said(&nothing).contains("nothing to compare"));
}

#[test]
fn the_inputs_hold_what_another_implementation_needs() {
    let env = TestEnv::new();
    let more = ["--write-inputs", "inputs.safetensors", "--batch", "5"];
    let output = plugin(&env, "compare", &coop(), &more);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let bytes = std::fs::read(env.path("inputs.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("labels"), [5]);
    assert_eq!(shape("param.ctx"), [4, 128]);
    assert_eq!(shape("image_features")[0], 5);
    assert_eq!(shape("pixels")[..2], [5, 3]);
    assert_eq!(shape("name_tokens")[0], 10);
    assert_eq!(shape("template_tokens")[0], 10);
}
