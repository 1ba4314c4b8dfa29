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
fn a_worker_without_room_ends_the_run_and_the_next_one_resumes() {
    let env = with_suite();
    let program = env!("CARGO_BIN_EXE_harness");
    // Results fit, features do not: they are what fills a disk first.
    let line = format!("ulimit -f 100; exec {program} run suite.yaml");
    let output = env.program("bash").args(["-c", &line]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(110), "{stderr}");
    assert!(
        stderr.contains("error: features of digits on micro-"),
        "{stderr}"
    );
    assert!(stderr.contains("File too large"), "{stderr}");
    assert_eq!(drafts(&env), Vec::<String>::new());

    let again = env.command(&["run", "suite.yaml"]).output().unwrap();
    let stdout = String::from_utf8_lossy(&again.stdout);
    assert!(stdout.contains("Summary ok=1 "), "{stdout}");
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
    assert_eq!(output.stdout, b"Summary interrupted=1\n");
    // Far more than it takes, far less than for ever.
    assert!(sent.elapsed() < Duration::from_secs(30));
}

/// A data set of one image a class in each split; `level` is the grey of all of them.
fn write_images(env: &TestEnv, level: u8) {
    for split in ["train", "test"] {
        for class in ["dark", "light"] {
            let path = env.path(&format!("data/{split}/{class}/0.pgm"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let pixels = [vec![level; 64], b"".to_vec()].concat();
            std::fs::write(path, [b"P5\n8 8\n255\n".to_vec(), pixels].concat()).unwrap();
        }
    }
}

/// What the report says of the data set's bytes.
fn manifest(env: &TestEnv, arguments: &[&str]) -> String {
    let output = env.harness(&[&["run", "suite.yaml", "-o", "report.json"], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let report = Report::read(env.path("report.json")).unwrap();
    report.datasets[0].manifest_sha256.clone()
}

#[test]
fn remembered_digests_are_believed_unless_files_are_to_be_hashed_again() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop]\ndatasets: [./data]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
    );
    write_images(&env, 7);
    // Younger files are hashed anyway, and not remembered.
    std::thread::sleep(Duration::from_secs(4));
    let first = manifest(&env, &[]);
    let digests = env.path(".harness/digests");
    let file = std::fs::read_dir(&digests)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    // As if a file system had lied: what is remembered is of other bytes.
    let text = std::fs::read_to_string(file.path()).unwrap();
    let body = text.split_once('\n').unwrap().1;
    let at = body.find("\"sha256\":\"").unwrap() + 10;
    let mut body = body.to_owned();
    body.replace_range(at..at + 64, &"0".repeat(64));
    let sealed = format!("{}\n{body}", harness_store::sha256_hex(body.as_bytes()));
    std::fs::write(file.path(), sealed).unwrap();
    let output = env.harness(&["run", "suite.yaml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(103), "a worker sees other bytes");
    assert!(
        stderr.contains("changed since the data set was opened"),
        "{stderr}"
    );
    assert_eq!(manifest(&env, &["--rehash"]), first);
    assert_eq!(manifest(&env, &[]), first, "and were replaced");
}

#[test]
fn memory_bounds_what_is_kept_and_changes_no_number() {
    let env = with_suite();
    let bits = |memory: &str, store: &str| {
        let output = env.harness(&[
            "run",
            "suite.yaml",
            "-o",
            "report.json",
            "--memory",
            memory,
            "--store",
            store,
        ]);
        assert_eq!(output.status.code(), Some(0));
        let report = Report::read(env.path("report.json")).unwrap();
        let measured = report.cells[0].conditions.measured();
        let bits = measured.map(|(_, condition)| condition.logits_sha256.clone());
        bits.collect::<Vec<_>>()
    };
    // With nothing to keep every activation is computed again.
    assert_eq!(bits("1", "little"), bits("8192", "much"));

    let suite = crate::env::root().join("suites/clip-to-eva.yaml");
    let worker = |memory: &str| {
        let suite = suite.to_str().unwrap();
        let plan = ["plan", suite, "--json", "--jobs", "1", "--memory", memory];
        let output = env.harness(&plan);
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        plan["cost"]["worker-bytes"].as_u64().unwrap()
    };
    let (little, usual, much) = (worker("1024"), worker("2048"), worker("65536"));
    // Half of the share for texts, a quarter for images.
    assert_eq!(usual - little, (512 + 256) << 20);
    assert!(much > usual + (1 << 30), "{much} after {usual}");
}

#[test]
fn a_suite_of_too_many_cells_is_refused_at_its_longest_list() {
    let env = TestEnv::new();
    let list = |count: usize| {
        let numbers: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
        format!("[{}]", numbers.join(", "))
    };
    env.write(
        "suite.yaml",
        format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: [coop]\ndatasets: [digits]\nshots: {}\nseeds: {}\n",
            list(4999),
            list(5000)
        ),
    );
    let output = env.harness(&["plan", "suite.yaml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(96));
    assert!(stderr.contains("suite.yaml:6:8: "), "{stderr}");
    assert!(
        stderr.contains("make 24995000 cells, more than the 200000"),
        "{stderr}"
    );
    assert!(stderr.len() < 2000, "{} bytes: {stderr}", stderr.len());
}

#[test]
fn a_huge_word_of_a_suite_is_quoted_in_part() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        format!("name: {}\nnonsense: 1\n", "x".repeat(900_000)),
    );
    let output = env.harness(&["plan", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    assert!(
        output.stderr.len() < 10_000,
        "{} bytes",
        output.stderr.len()
    );
    env.write("suite.yaml", format!("? {}\n: 1\n", "y".repeat(900_000)));
    let output = env.harness(&["plan", "suite.yaml"]);
    assert!(
        output.stderr.len() < 10_000,
        "{} bytes",
        output.stderr.len()
    );
}

#[test]
fn an_edited_report_is_used_only_when_that_is_allowed() {
    let env = with_suite();
    assert_eq!(manifest(&env, &[]).len(), 64);
    let text = std::fs::read_to_string(env.path("report.json")).unwrap();
    let edited = text.replace("\"name\": \"test\"", "\"name\": \"best\"");
    assert_ne!(edited, text);
    env.write("edited.json", edited);
    let commands: [&[&str]; 4] = [
        &["export", "edited.json", "-o", "x.csv"],
        &["diff", "report.json", "edited.json"],
        &["baseline", "accept", "edited.json", "--baseline", "b.json"],
        &["gate", "edited.json", "--baseline", "report.json"],
    ];
    for command in commands {
        let output = env.harness(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(96), "{command:?}: {stderr}");
        assert!(stderr.contains("edited after it was written"), "{stderr}");
        let output = env.harness(&[command, &["--allow-edited"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {stderr}");
        assert!(stderr.contains("warning: edited.json: edited"), "{stderr}");
    }
    let output = env.harness(&["gate", "report.json", "--baseline", "edited.json"]);
    assert_eq!(output.status.code(), Some(104));
}

#[test]
fn a_baseline_is_never_written_outside_of_reports() {
    let env = with_suite();
    manifest(&env, &[]);
    for path in ["..", "", "/"] {
        let (mut report, _) = Report::read_edited(env.path("report.json")).unwrap();
        report.suite.path = path.to_owned();
        report.write(env.path("odd.json")).unwrap();
        let output = env.harness(&["baseline", "accept", "odd.json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(96), "{path:?}: {stderr}");
        assert!(stderr.contains("--baseline"), "{stderr}");
    }
    assert!(!env.path("reports.json").exists());
}

#[test]
fn a_suite_is_run_without_the_plugins_that_it_names_or_a_network() {
    let env = TestEnv::new();
    env.write("harmful.so", "not a library");
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n\
         plugins: [harmful.so]\n",
    );
    let told = |arguments: &[&str]| {
        let output = env.harness(&[&["plan", "suite.yaml"], arguments].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stderr).contains("harmful.so")
    };
    assert!(told(&[]));
    assert!(!told(&["--no-plugins-from-suite"]));
}
