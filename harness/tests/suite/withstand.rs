//! What the system does to a run: streams that go away, limits and signals.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness_report::{Report, Status};

use crate::env::TestEnv;

/// Of Linux.
const O_NONBLOCK: i32 = 0o4000;

fn with_suite() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
    );
    env
}

/// Files below the store that no reader would take for an entry.
fn drafts(env: &TestEnv) -> Vec<String> {
    let folders = ["units", "modules", "logs", "descriptors"];
    let files = folders.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(env.path(".harness").join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
    });
    files
        .filter(|name| name.starts_with(".tmp") || name.ends_with(".part"))
        .collect()
}

#[test]
fn a_run_goes_on_when_nobody_can_read_its_progress() {
    let env = with_suite();
    // The device takes nothing.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = env.command(&["run", "suite.yaml", "-o", "report.json"]);
    let output = command
        .stderr(full)
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let report = Report::read(env.path("report.json")).unwrap();
    assert!(report.cells.iter().all(|cell| cell.status == Status::Ok));

    let mut command = env.command(&["run", "nothing.yaml"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let status = command.stderr(full).status().unwrap();
    assert_eq!(
        status.code(),
        Some(96),
        "the message is lost, its status is not"
    );
}

#[test]
fn a_limit_on_file_sizes_is_a_full_disk_and_leaves_no_draft() {
    let env = with_suite();
    let program = env!("CARGO_BIN_EXE_harness");
    let mut command = env.program("bash");
    let line = format!("ulimit -f 1; exec {program} run suite.yaml --only dataset=digits");
    let output = command.args(["-c", &line]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(110), "{stderr}");
    assert!(stderr.contains("File too large"), "{stderr}");
    assert_eq!(drafts(&env), Vec::<String>::new());
}

#[test]
fn a_signal_while_inputs_are_read_ends_the_run_within_seconds() {
    let env = TestEnv::new();
    let pipe = env.path("suite.yaml");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut command = env.command(&["run", "suite.yaml"]);
    command.stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut run = command.spawn().unwrap();
    // Opens once the run reads the other end, which then waits for bytes that never come.
    let _endless = loop {
        let mut options = File::options();
        match options.write(true).custom_flags(O_NONBLOCK).open(&pipe) {
            Ok(pipe) => break pipe,
            Err(_) if run.try_wait().unwrap().is_none() => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(_) => panic!("{:?}", run.wait_with_output()),
        }
    };
    let id = run.id().to_string();
    let sent = Instant::now();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = run.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(
        stderr.contains("interrupted before anything ran"),
        "{stderr}"
    );
    // Far more than it takes, far less than for ever.
    assert!(sent.elapsed() < Duration::from_secs(30));
}
