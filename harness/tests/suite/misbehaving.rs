//! Plugins that misbehave cost their own cells and nothing else.

use harness_report::{Cell, Report, Status};

use crate::env::{TestEnv, library};

/// A suite of CoOp and one row for each of the misbehaviours.
fn suite(env: &TestEnv, misbehaviours: &[&str]) {
    let rows: String = misbehaviours
        .iter()
        .map(|what| {
            format!("- {{id: misbehaving, label: {what}, config: {{misbehaviour: {what}}}}}\n")
        })
        .collect();
    env.write(
        "suite.yaml",
        format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods:\n- coop\n{rows}datasets: [digits]\nshots: [1]\nseeds: [1]\n\
             recipe: {{epochs: 1}}\ntime_limit: 60\nplugins: [{:?}]\n",
            library("harness_fixture_methods")
        ),
    );
}

fn run(env: &TestEnv, arguments: &[&str]) -> (Report, String, Option<i32>) {
    let output = env.harness(&[&["run", "suite.yaml", "-o", "r.json"], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = Report::read(env.path("r.json")).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    (report, stderr, output.status.code())
}

fn cell<'r>(report: &'r Report, method: &str) -> &'r Cell {
    let mut cells = report.cells.iter();
    cells.find(|cell| cell.method == method).unwrap()
}

/// Logits of every condition, bit by bit.
fn bits(cell: &Cell) -> Vec<String> {
    let measured = cell.conditions.measured();
    measured
        .map(|(_, condition)| condition.logits_sha256.clone())
        .collect()
}

/// Whether the command line of a process is that of a child that the fixture leaves behind.
fn daemons() -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line == b"sleep\x00987\x00").count()
}

#[test]
fn each_kind_costs_its_own_cells() {
    let env = TestEnv::new();
    let crashes = [
        ("memory-bomb", "ran out of memory"),
        ("stack-overflow", "signal 6"),
        ("write-to-pipes", "instead of a reply"),
        ("close-descriptors", "ended"),
        ("exit-in-parameters", "status 0"),
        ("exit-in-classifier", "status 0"),
        ("exit-in-loss", "status 0"),
        ("exit-in-predict", "status 0"),
    ];
    let harmless = [
        "daemons",
        "fork-bomb",
        "changed-folder",
        "changed-environment",
        "opposite",
    ];
    let labels: Vec<&str> = crashes.iter().map(|(label, _)| *label).collect();
    // The late crash costs its own cell or none, as the machine is fast or slow.
    let others = ["late-crash", "huge-error"];
    suite(&env, &[&labels[..], &harmless, &others].concat());
    let (report, stderr, code) = run(&env, &["--jobs", "2", "--worker-memory", "1024"]);
    assert_eq!(code, Some(103), "{stderr}");
    for (label, expected) in crashes {
        match &cell(&report, label).status {
            Status::Crashed { message, .. } => {
                assert!(message.contains(expected), "{label}: {message}");
            }
            other => panic!("{label}: {other:?}"),
        }
    }
    for label in harmless {
        assert_eq!(cell(&report, label).status, Status::Ok, "{label}: {stderr}");
    }
    match &cell(&report, "huge-error").status {
        Status::Failed { message } => {
            assert!(message.len() < 5000, "{}", message.len());
            assert!(message.ends_with("more characters)"), "{message}");
        }
        other => panic!("huge-error: {other:?}"),
    }
    let size = std::fs::metadata(env.path("r.json")).unwrap().len();
    assert!(size < 2 << 20, "a report of {size} bytes");
    assert_eq!(daemons(), 0, "children in sessions of their own are left");

    let clean = TestEnv::new();
    suite(&clean, &[]);
    let (alone, ..) = run(&clean, &[]);
    assert_eq!(bits(cell(&report, "coop")), bits(cell(&alone, "coop")));
    let found = bits(cell(&report, "opposite"));
    assert_ne!(found, bits(cell(&alone, "coop")));
}

#[test]
fn a_plugin_that_overwrites_the_store_changes_no_number() {
    let env = TestEnv::new();
    suite(&env, &[]);
    let (before, ..) = run(&env, &[]);
    suite(&env, &["write-into-store"]);
    run(&env, &["--jobs", "1"]);
    suite(&env, &[]);
    let (after, stderr, code) = run(&env, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(bits(cell(&before, "coop")), bits(cell(&after, "coop")));
}

#[test]
fn a_plugin_that_hears_no_signal_ends_with_its_time() {
    let env = TestEnv::new();
    suite(&env, &["deaf"]);
    let text = std::fs::read_to_string(env.path("suite.yaml")).unwrap();
    env.write(
        "suite.yaml",
        text.replace("time_limit: 60", "time_limit: 3"),
    );
    let (report, stderr, code) = run(&env, &["--only", "method=deaf"]);
    assert_eq!(code, Some(103), "{stderr}");
    let status = &cell(&report, "deaf").status;
    assert!(matches!(status, Status::TimedOut { .. }), "{status:?}");
}

/// A plugin that goes wrong before it has said what it is.
#[test]
fn a_fault_in_the_descriptor_costs_the_methods_of_the_plugin() {
    for (fault, says) in [
        ("exit", "status 0"),
        ("abort", "signal 6"),
        ("panic", "misbehaving in card"),
    ] {
        let env = TestEnv::new();
        suite(&env, &[]);
        let run = |env: &TestEnv| {
            let mut command = env.command(&["run", "suite.yaml", "-o", "r.json"]);
            let command = command.env("HARNESS_FIXTURE_CARD", fault);
            let output = command.env("HF_HUB_OFFLINE", "1").output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code(), stderr)
        };
        let (code, stderr) = run(&env);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("cannot use the plugin"), "{stderr}");
        assert!(stderr.contains(says), "{fault}: {stderr}");
        suite(&env, &["opposite"]);
        let (code, stderr) = run(&env);
        assert_eq!(code, Some(96), "{stderr}");
        assert!(
            stderr.contains("unknown method \"misbehaving\""),
            "{stderr}"
        );
    }
}
