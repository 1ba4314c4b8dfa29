//! What `harness plan` prints, proposes and ends with.

use std::process::Output;

use serde_json::Value;

use crate::env::{TestEnv, library};

const METHODS: &str = "[coop, kgcoop, clip-adapter]";

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Options of a command as its shell would split them.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').skip(3).collect()
}

#[test]
fn a_proposal_is_a_selection_that_fits_and_runs_as_printed() {
    let env = TestEnv::new();
    // Each data set costs about half, so that one of them fits into a range of budgets.
    env.write(
        "suite.yaml",
        format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: {METHODS}\ndatasets: [shapes, textures]\nshots: [1]\nseeds: [1]\n\
             oracle: true\nrecipe: {{epochs: 1}}\n"
        ),
    );
    let plan = |arguments: &[&str]| {
        let output = env.harness(&[&["plan", "suite.yaml", "--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0));
        json(&output)
    };
    let all = plan(&["--jobs", "1"]);
    assert_eq!(all["schema"], "harness-plan/2");
    let cells = all["cells"].as_array().unwrap().len();
    let cost = &all["cost"];
    let total = cost["processor-seconds"].as_f64().unwrap();
    let parts = cost["by-method-and-dataset"].as_array().unwrap().iter();
    let parts: f64 = parts
        .map(|one| one["processor-seconds"].as_f64().unwrap())
        .sum();
    assert!((parts / total - 1.0).abs() < 1e-9);

    let much = plan(&["--budget", "100d"]);
    assert_eq!(much["budget"]["fits"], true);
    assert!(much["budget"]["command"].is_null());
    let little = plan(&["--budget", "0.0001s"]);
    assert_eq!(little["budget"]["fits"], false);
    assert!(little["budget"]["command"].is_null());

    // What the machine does in a second varies from one call to the next.
    let budgets = (0..12).map(|step| 1.1 * total * 0.85_f64.powi(step));
    let mut parts = budgets.map(|seconds| {
        let budget = format!("{seconds:.6}s");
        plan(&["--jobs", "1", "--budget", &budget])
    });
    let part = parts.find(|part| part["budget"]["command"].is_string());
    let part = part.unwrap();
    let within = |name: &str| part["budget"][name].as_f64().unwrap();
    assert!(within("wall-seconds") <= within("seconds") * (1.0 + 1e-9));
    let command = part["budget"]["command"].as_str().unwrap();
    assert!(command.starts_with("harness run suite.yaml --jobs 1 --only method="));
    let again = plan(&words(command));
    let proposed = part["budget"]["cells"].as_u64().unwrap() as usize;
    assert_eq!(again["cells"].as_array().unwrap().len(), proposed);
    assert!(proposed > 0 && proposed < cells);
    let share = |plan: &Value| plan["to-do"]["trainings"].as_u64().unwrap();
    assert!(share(&again) < share(&all));
}

#[test]
fn wall_time_is_given_for_this_machine_and_for_another() {
    let env = TestEnv::new();
    env.suite(METHODS, "[micro-eva-clip]", "");
    let arguments = ["plan", "suite.yaml", "--jobs", "1", "--cores", "8"];
    let text = env.harness(&arguments);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains(" on this machine (1 worker), "), "{text}");
    assert!(text.contains(" on 8 cores\n"), "{text}");
    let rows = text.lines().filter(|line| line.starts_with("│ coop "));
    assert_eq!(rows.count(), 1, "{text}");
    let wall = json(&env.harness(&[&arguments[..], &["--json"]].concat()));
    let wall = wall["cost"]["wall"].as_array().unwrap().clone();
    let seconds = |at: usize| wall[at]["seconds"].as_f64().unwrap();
    assert!(seconds(1) < seconds(0) && wall[1]["workers"] == 8);
}

#[test]
fn a_broken_cell_ends_the_plan_with_103() {
    let env = TestEnv::new();
    let fixture = library("harness_fixture_methods");
    let broken = "{id: misbehaving, config: {misbehaviour: panic-in-parameters}}";
    let rest = format!("plugins: [{fixture:?}]\n");
    env.suite(&format!("[coop, {broken}]"), "[micro-eva-clip]", &rest);
    let output = env.harness(&["plan", "suite.yaml"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(103), "{text}");
    assert!(text.contains("broken: "), "{text}");
    assert!(text.trim_end().ends_with("broken=1"), "{text}");
}

#[test]
fn quiet_says_nothing_verbose_everything_and_a_log_keeps_it() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    let stderr = |arguments: &[&str]| {
        let output = env.harness(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let run = ["run", "suite.yaml", "--fresh"];
    let told = stderr(&[&run[..], &["-q", "--log", "log.txt"]].concat());
    assert_eq!(told, "");
    let log = std::fs::read_to_string(env.path("log.txt")).unwrap();
    assert!(log.contains("] harness run suite.yaml --fresh -q"), "{log}");
    assert!(log.contains("] done: train coop on micro-clip"), "{log}");
    let told = stderr(&[&run[..], &["--verbose"]].concat());
    assert!(told.contains("done: zero-shot of "), "{told}");
    let output = env.harness(&["plan", "suite.yaml", "--log", "nowhere/log.txt"]);
    assert_eq!(output.status.code(), Some(110));
}

#[test]
fn lists_are_json_or_fit_the_terminal() {
    let env = TestEnv::new();
    for what in ["methods", "backbones", "datasets"] {
        let listed = json(&env.harness(&["list", what, "--json"]));
        assert!(listed.as_array().unwrap().len() > 2, "{listed}");
        let mut narrow = env.command(&["list", what]);
        let output = narrow.env("COLUMNS", "80").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('`'));
        for line in lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn what_a_gate_detects_is_told_by_images_and_seeds() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "gate: {margin: 1}\n");
    let output = env.harness(&["plan", "suite.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("Smallest loss that is detected in one of "),
        "{text}"
    );
    assert!(text.contains(" 10 seeds "), "{text}");
    let plan = json(&env.harness(&["plan", "suite.yaml", "--json"]));
    let first = &plan["power"][0]["by-seeds"];
    let points = |at: usize| first[at]["points"].as_f64().unwrap();
    assert!(points(0) > points(1) && points(1) > points(2));
}
