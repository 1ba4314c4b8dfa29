//! Kills with -9, several runs at once, `gc` and damage on one store: nothing is lost, and no
//! number changes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness_report::Report;

use crate::env::TestEnv;

/// Kills; the nightly script asks for a thousand.
const KILLS: &str = "HARNESS_KILLS";
const FEW: u64 = 20;
/// How long a soak lasts; the nightly script asks for an hour.
const SECONDS: &str = "HARNESS_SOAK_SECONDS";
const SHORT: u64 = 15;

const SEED: u64 = 0x5eed;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Numbers without a pattern, the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn suite(env: &TestEnv) {
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop, kgcoop]\ndatasets: [digits]\nshots: [1]\nseeds: [1, 2]\n\
         recipe: {epochs: 1}\n",
    );
}

/// Logits of every condition of every cell.
fn bits(report: &Path) -> Vec<String> {
    let report = Report::read(report).unwrap();
    let cells = report.cells.iter().flat_map(|cell| {
        let measured = cell.conditions.measured();
        let bits = measured.map(|(_, condition)| condition.logits_sha256.clone());
        bits.collect::<Vec<_>>()
    });
    cells.collect()
}

fn start(env: &TestEnv, arguments: &[&str]) -> Child {
    let mut command = env.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Process ids of the workers of a run.
fn workers(run: u32) -> Vec<String> {
    let path = format!("/proc/{run}/task/{run}/children");
    let children = std::fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().map(str::to_owned).collect()
}

fn kill(process: &str) {
    let mut command = Command::new("kill");
    // It may have ended by itself.
    let _ = command
        .args(["-KILL", process])
        .stderr(Stdio::null())
        .status();
}

/// A run to the end has the numbers of an undisturbed one.
fn check(env: &TestEnv, expected: &[String], when: &str) {
    let output = env.harness(&["run", "suite.yaml", "-o", "report.json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{when}: {stderr}");
    assert_eq!(bits(&env.path("report.json")), expected, "{when}");
}

#[test]
fn killed_runs_on_one_store_lose_nothing() {
    let env = TestEnv::new();
    suite(&env);
    let output = env.harness(&[
        "run",
        "suite.yaml",
        "-o",
        "expected.json",
        "--store",
        "whole",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let expected = bits(&env.path("expected.json"));
    let kills = number(KILLS).unwrap_or(FEW);
    let mut random = Random(SEED);
    let mut done = 0;
    while done < kills {
        let mut runs = [
            start(&env, &["run", "suite.yaml", "--jobs", "2"]),
            start(&env, &["run", "suite.yaml", "--jobs", "1"]),
        ];
        let mut collector = start(&env, &["cache", "gc"]);
        std::thread::sleep(Duration::from_millis(100 + random.below(1500)));
        for run in &mut runs {
            // A worker, or the scheduler.
            match workers(run.id()).get(random.below(3) as usize) {
                Some(worker) => kill(worker),
                None => kill(&run.id().to_string()),
            }
            done += 1;
        }
        collector.wait().unwrap();
        for run in &mut runs {
            if random.below(2) == 0 {
                kill(&run.id().to_string());
            }
            run.wait().unwrap();
        }
        if random.below(4) == 0 {
            check(&env, &expected, &format!("after {done} kills"));
            std::fs::remove_dir_all(env.path(".harness")).unwrap();
        }
    }
    check(&env, &expected, "in the end");
    assert_eq!(env.harness(&["cache", "gc"]).status.code(), Some(0));
    assert_eq!(env.harness(&["cache", "verify"]).status.code(), Some(0));
}

/// Resident KiB and open descriptors of a process; none once it has ended.
fn used(process: u32) -> Option<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident = line.trim().trim_end_matches(" kB").parse().ok()?;
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    Some((resident, open.count()))
}

#[test]
fn a_soak_of_selections_and_damage_keeps_numbers_and_takes_no_more_each_time() {
    let env = TestEnv::new();
    suite(&env);
    let whole = ["run", "suite.yaml", "-o", "expected.json"];
    assert_eq!(env.harness(&whole).status.code(), Some(0));
    let expected = bits(&env.path("expected.json"));
    let length = Duration::from_secs(number(SECONDS).unwrap_or(SHORT));
    let (begun, mut random) = (Instant::now(), Random(SEED));
    let (mut resident, mut open, mut rounds) = (0, 0, 0);
    while begun.elapsed() < length {
        damage(&env, &mut random);
        let method = ["coop", "kgcoop"][random.below(2) as usize];
        let only = format!("method={method},seed={}", 1 + random.below(2));
        let mut run = start(&env, &["run", "suite.yaml", "--only", &only]);
        let mut peak = (0, 0);
        while run.try_wait().unwrap().is_none() {
            let now = used(run.id()).unwrap_or_default();
            peak = (peak.0.max(now.0), peak.1.max(now.1));
            std::thread::sleep(Duration::from_millis(20));
        }
        rounds += 1;
        if rounds > 5 {
            assert!(
                peak.0 < 2 * resident + 65_536,
                "{} KiB after {resident}",
                peak.0
            );
            assert!(
                peak.1 < 2 * open + 16,
                "{} descriptors after {open}",
                peak.1
            );
        } else {
            // The first rounds say what a run takes.
            (resident, open) = (resident.max(peak.0), open.max(peak.1));
        }
        check(&env, &expected, &format!("round {rounds}"));
    }
    println!("{rounds} rounds, at most {resident} KiB and {open} descriptors at first");
}

/// Removes, cuts or alters a random file of the store.
fn damage(env: &TestEnv, random: &mut Random) {
    let mut files = Vec::new();
    let mut folders = vec![env.path(".harness")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path),
            }
        }
    }
    files.sort();
    let Some(file) = files.get(random.below(files.len().max(1) as u64) as usize) else {
        return;
    };
    let mut bytes = std::fs::read(file).unwrap();
    let at = random.below(bytes.len().max(1) as u64) as usize;
    match random.below(4) {
        0 => std::fs::remove_file(file).unwrap(),
        1 => std::fs::write(file, &bytes[..at]).unwrap(),
        2 if !bytes.is_empty() => {
            bytes[at] ^= 1 << random.below(8);
            std::fs::write(file, bytes).unwrap();
        }
        _ => {
            std::fs::remove_file(file).unwrap();
            std::fs::create_dir(file).unwrap();
        }
    }
}
