//! A run in which one call of the system fails, is cut short or is the last: whatever becomes of
//! it, the next run has the numbers of an undisturbed one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness_report::Report;

use crate::env::{TestEnv, root};

/// Without this variable only some calls are tried: the second, the twelfth and so on.
const ALL: &str = "HARNESS_FAULTS";
const FACTOR: usize = 6;

/// The library that makes calls fail; none where there is no C compiler.
fn library(folder: &Path) -> Option<PathBuf> {
    let source = root().join("harness/fixtures/faults/faults.c");
    let library = folder.join("faults.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    match status {
        Ok(status) => {
            assert!(status.success(), "faults.c does not compile");
            Some(library)
        }
        Err(_) => {
            assert!(
                std::env::var_os("HARNESS_REQUIRE_TOOLS").is_none(),
                "no C compiler"
            );
            None
        }
    }
}

/// Logits of every condition of every cell.
fn bits(report: &Path) -> Vec<String> {
    let report = Report::read(report).unwrap();
    let cells = report.cells.iter();
    cells
        .flat_map(|cell| {
            let measured = cell.conditions.measured();
            let bits = measured.map(|(_, condition)| condition.logits_sha256.clone());
            bits.collect::<Vec<_>>()
        })
        .collect()
}

struct Faults {
    env: TestEnv,
    library: PathBuf,
    expected: Vec<String>,
}

impl Faults {
    fn new() -> Option<Self> {
        let env = TestEnv::new();
        let library = library(env.folder.path())?;
        env.write(
            "suite.yaml",
            "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
             methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
        );
        let output = env.harness(&["run", "suite.yaml", "-o", "expected.json"]);
        assert_eq!(output.status.code(), Some(0));
        Some(Self {
            expected: bits(&env.path("expected.json")),
            library,
            env,
        })
    }

    /// Runs with a fault in an empty store, then without; false if there was no such call.
    fn strike(&self, fault: &str) -> bool {
        let env = &self.env;
        let (store, hit) = (env.path(".harness"), env.path("hit"));
        for stale in [env.path("report.json"), hit.clone()] {
            let _ = std::fs::remove_file(stale);
        }
        std::fs::remove_dir_all(&store).unwrap();
        let arguments = ["run", "suite.yaml", "-o", "report.json", "--jobs", "2"];
        let output = env
            .command(&arguments)
            .env("LD_PRELOAD", &self.library)
            .env("FAULT", fault)
            .env("FAULT_UNDER", env.folder.path().canonicalize().unwrap())
            .env("FAULT_HIT", &hit)
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        let was_hit = hit.exists();
        let code = output.status.code();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(code, None | Some(0 | 5 | 96 | 103 | 110)),
            "{fault}: {code:?}: {stderr}"
        );
        // A report that is there is whole.
        if env.path("report.json").exists() {
            Report::read(env.path("report.json"))
                .unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
        if code == Some(0) {
            assert_eq!(bits(&env.path("report.json")), self.expected, "{fault}");
        }
        let output = env.harness(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "after {fault}: {stderr}");
        assert_eq!(
            bits(&env.path("report.json")),
            self.expected,
            "after {fault}"
        );
        let output = env.harness(&["cache", "verify"]);
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "after {fault}: {stdout}");
        was_hit
    }

    /// Every call of a kind, or some of them.
    fn sweep(&self, call: &str, how: &str, role: &str) {
        let is_all = std::env::var_os(ALL).is_some();
        let first = if is_all { 1 } else { 2 };
        let mut number = first;
        while self.strike(&format!("{call}:{number}:{how}:{role}")) {
            number = if is_all { number + 1 } else { number * FACTOR };
        }
        assert!(number > first, "no {call} of a {role} was found");
    }
}

#[test]
fn a_scheduler_that_dies_or_fails_at_any_call_leaves_a_store_that_goes_on() {
    let Some(faults) = Faults::new() else { return };
    for call in ["write", "fsync", "rename"] {
        faults.sweep(call, "kill", "scheduler");
        faults.sweep(call, "fail", "scheduler");
    }
    faults.sweep("write", "short", "scheduler");
    faults.sweep("read", "fail", "scheduler");
}

#[test]
fn a_worker_that_dies_or_fails_at_any_call_costs_no_number() {
    let Some(faults) = Faults::new() else { return };
    for call in ["write", "fsync", "rename"] {
        faults.sweep(call, "kill", "worker");
        faults.sweep(call, "fail", "worker");
    }
    faults.sweep("write", "short", "worker");
    faults.sweep("read", "fail", "worker");
    faults.sweep("read", "short", "worker");
}
