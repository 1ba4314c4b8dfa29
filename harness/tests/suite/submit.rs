//! A suite in tasks: by hand, and with commands in the place of Slurm's.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use harness_report::{Report, Status};
use serde_json::Value;

use crate::end_to_end::numbers;
use crate::env::TestEnv;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs to a status, and returns what was printed on both.
fn done(output: &Output, status: i32) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{out}\n{err}");
    (out, err)
}

/// Plans without submitting: the plan's file, and its folder.
fn print(env: &TestEnv, store: &str, tasks: &str) -> (Value, PathBuf) {
    let output = env.harness(&[
        "submit",
        "suite.yaml",
        "--print",
        "--tasks",
        tasks,
        "--store",
        store,
    ]);
    let (out, _) = done(&output, 0);
    let id = out.lines().next().unwrap().strip_prefix("plan ").unwrap();
    let folder = env.path(store).join("submissions").join(id);
    let plan = std::fs::read(folder.join("plan.json")).unwrap();
    (serde_json::from_slice(&plan).unwrap(), folder)
}

/// The stages of a plan with their numbers of tasks.
fn stages(plan: &Value) -> Vec<(String, usize)> {
    let stages = plan["stages"].as_array().unwrap().iter();
    stages
        .map(|stage| {
            let tasks = stage["tasks"].as_array().unwrap().len();
            (stage["stage"].as_str().unwrap().to_owned(), tasks)
        })
        .collect()
}

fn task(env: &TestEnv, store: &str, plan: &Value, stage: &str, shard: &str) -> Output {
    env.harness(&[
        "run",
        "suite.yaml",
        "--stage",
        stage,
        "--shard",
        shard,
        "--plan-id",
        plan["id"].as_str().unwrap(),
        "--store",
        store,
    ])
}

fn report(env: &TestEnv, store: &str, plan: &Value, status: i32) -> Report {
    let output = env.harness(&[
        "run",
        "suite.yaml",
        "--stage",
        "report",
        "--plan-id",
        plan["id"].as_str().unwrap(),
        "--store",
        store,
        "-o",
        "tasks.json",
    ]);
    done(&output, status);
    Report::read(env.path("tasks.json")).unwrap()
}

#[test]
fn any_number_of_tasks_gives_the_same_report() {
    let env = TestEnv::new();
    env.suite("[coop, kgcoop]", "[micro-eva-clip]", "oracle: true");
    let output = env.harness(&["run", "suite.yaml", "--store", "whole", "-o", "whole.json"]);
    done(&output, 0);
    let whole = Report::read(env.path("whole.json")).unwrap();
    for tasks in ["1", "3", "16"] {
        let (plan, folder) = print(&env, tasks, tasks);
        assert!(folder.join("submit.sh").exists());
        for (stage, count) in stages(&plan) {
            assert!(count <= tasks.parse().unwrap());
            // Tasks of a stage do not depend on their order.
            for number in (1..=count).rev() {
                let shard = format!("{number}/{count}");
                done(&task(&env, tasks, &plan, &stage, &shard), 0);
                // A task that is run again has nothing to do.
                if tasks == "3" {
                    done(&task(&env, tasks, &plan, &stage, &shard), 0);
                }
            }
        }
        let parts = report(&env, tasks, &plan, 0);
        assert_eq!(numbers(&parts), numbers(&whole), "{tasks} tasks");
        let (mut parts_only, mut whole_only) = (parts.clone(), whole.clone());
        for report in [&mut parts_only, &mut whole_only] {
            report.provenance = whole.provenance.clone();
            for cell in &mut report.cells {
                cell.usage = None;
                cell.training = None;
                cell.retraining = None;
                cell.rerun.clear();
                let all = &mut cell.conditions;
                let measured = [
                    &mut all.zero_source,
                    &mut all.base,
                    &mut all.zero_target,
                    &mut all.new,
                    &mut all.oracle,
                ];
                for condition in measured.into_iter().flatten() {
                    condition.seconds = 0.0;
                }
            }
        }
        assert!(parts_only == whole_only, "{tasks} tasks");
        let cells: std::collections::BTreeSet<u64> = parts
            .provenance
            .tasks
            .iter()
            .flat_map(|task| task.cells.clone())
            .collect();
        assert_eq!(cells.len(), parts.cells.len());
        assert!(
            parts
                .provenance
                .tasks
                .iter()
                .all(|task| !task.place.node.is_empty())
        );
    }
}

#[test]
fn a_login_node_without_a_gpu_plans_for_those_of_the_cluster() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: gpus\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
    );
    let asked = [
        "--device",
        "cuda",
        "--precision",
        "tf32",
        "--method",
        "coop",
    ];
    let command = [
        "submit",
        "suite.yaml",
        "--print",
        "--tasks",
        "1",
        "--store",
        "gpus",
    ];
    let output = env.harness(&[&command[..], &asked[..]].concat());
    let (out, _) = done(&output, 0);
    assert!(out.contains(", 1 GPU"), "{out}");
    let id = out.lines().next().unwrap().strip_prefix("plan ").unwrap();
    let folder = env.path("gpus").join("submissions").join(id);
    let script = std::fs::read_to_string(folder.join("trainings.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --gpus=1\n"), "{script}");
    let task = script
        .lines()
        .find(|line| line.starts_with("srun "))
        .unwrap();
    let options = " --method coop --device cuda --precision tf32 --jobs 1";
    assert!(task.contains(options), "{task}");
    assert!(!task.contains("--memory"), "{task}");
    // A task does not trust: it looks for the device.
    let run = [
        "run",
        "suite.yaml",
        "--store",
        "gpus",
        "--plan-id",
        id,
        "--stage",
        "features",
    ];
    let task = [&run[..], &asked[..], &["--shard", "1/1"][..]].concat();
    let (_, err) = done(&env.harness(&task), 96);
    assert!(
        err.contains("device cuda: this build has none of CUDA"),
        "{err}"
    );
    // The report is written without one.
    let run = [
        "run",
        "suite.yaml",
        "--store",
        "gpus",
        "--plan-id",
        id,
        "--stage",
        "report",
    ];
    let (out, _) = done(&env.harness(&[&run[..], &asked[..]].concat()), 5);
    assert!(out.contains("not-run=1"), "{out}");
}

#[test]
fn a_task_of_a_changed_suite_computes_nothing() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    let (plan, _) = print(&env, "store", "1");
    let units = || std::fs::read_dir(env.path("store/units")).unwrap().count();
    let before = units();
    env.suite("[coop]", "[micro-eva-clip]", "oracle: true");
    let (_, err) = done(&task(&env, "store", &plan, "features", "1/1"), 96);
    assert!(err.contains("the suite changed"), "{err}");
    env.suite(
        "[coop]",
        "[micro-eva-clip]",
        "slurm: {sbatch: --partition=long}",
    );
    assert_eq!(units(), before);
    let (_, err) = done(&task(&env, "store", &plan, "features", "1/7"), 96);
    assert!(
        err.contains("has 1 tasks in stage features, not 7"),
        "{err}"
    );
    done(&task(&env, "store", &plan, "features", "1/1"), 0);
    let (_, err) = done(&task(&env, "elsewhere", &plan, "features", "1/1"), 96);
    assert!(err.contains("no plan"), "{err}");
}

/// Commands in the place of Slurm's: what they are asked goes to `calls`, and squeue prints
/// `queue`.
struct FakeSlurm<'e>(&'e TestEnv);

impl<'e> FakeSlurm<'e> {
    fn new(env: &'e TestEnv) -> Self {
        let fake = Self(env);
        for (name, body) in [
            (
                "sbatch",
                "case $1 in --version) exit;; esac\nn=$(($(cat jobs) + 1)); echo $n > jobs; echo $n",
            ),
            ("squeue", "cat queue"),
            ("sacct", "echo 'accounting is off' >&2; exit 1"),
            ("scontrol", "echo 'MaxArraySize            = 1001'"),
            ("scancel", "true"),
        ] {
            let here = env.folder.path().display();
            let script = format!("#!/bin/sh\ncd '{here}'\necho {name} \"$@\" >> calls\n{body}\n");
            env.write(&format!("bin/{name}"), script);
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(env.path(&format!("bin/{name}")), mode).unwrap();
        }
        env.write("jobs", "100");
        env.write("queue", "");
        env.write("calls", "");
        fake
    }

    fn harness(&self, arguments: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.0.path("bin").display());
        let mut command: Command = self.0.command(arguments);
        command
            .env("HF_HUB_OFFLINE", "1")
            .env("PATH", path)
            .env("HOME", self.0.folder.path());
        command.output().unwrap()
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.0.path("calls")).unwrap()
    }

    fn status(&self) -> Value {
        let output = self.harness(&["status", "suite.yaml", "--store", "store", "--json"]);
        serde_json::from_str(&done(&output, 0).0).unwrap()
    }
}

#[test]
fn stages_wait_for_each_other_and_only_what_is_missing_is_submitted_again() {
    let env = TestEnv::new();
    env.suite(
        "[coop]",
        "[micro-eva-clip]",
        "slurm: {sbatch: --partition=long --account=vision}",
    );
    let slurm = FakeSlurm::new(&env);
    let submit = [
        "submit",
        "suite.yaml",
        "--store",
        "store",
        "--tasks",
        "2",
        "-o",
        "out.json",
    ];
    let (out, _) = done(&slurm.harness(&submit), 0);
    let id = out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("plan ")
        .unwrap()
        .to_owned();
    let calls = slurm.calls();
    for expected in [
        "--dependency=afterany:101 ",
        "--dependency=afterany:101:102 ",
        "--dependency=afterany:101:102:103 ",
    ] {
        assert!(calls.contains(expected), "{calls}");
    }
    let folder = env.path("store/submissions").join(&id);
    let script = std::fs::read_to_string(folder.join("trainings.sbatch")).unwrap();
    assert!(
        script.contains("#SBATCH --partition=long\n#SBATCH --account=vision\n"),
        "{script}"
    );
    let last = std::fs::read_to_string(folder.join("report.sbatch")).unwrap();
    assert!(last.contains("-o out.json"), "{last}");

    // While the tasks wait, nothing is submitted twice.
    let plan: Value =
        serde_json::from_slice(&std::fs::read(folder.join("plan.json")).unwrap()).unwrap();
    let mut queue = String::new();
    for (job, (stage, count)) in (101..).zip(stages(&plan)) {
        for shard in 1..=count {
            queue += &format!("{job}_{shard}|harness-{id}-{stage}|PENDING|\n");
        }
    }
    env.write("queue", &queue);
    let (out, _) = done(&slurm.harness(&submit), 0);
    assert!(out.contains("nothing to submit"), "{out}");
    let state = slurm.status();
    assert_eq!(state["missing"], 0);
    assert!(state["waiting"].as_u64().unwrap() > 3);
    assert!(state["eta-seconds"].as_f64().unwrap() > 0.0);

    done(
        &slurm.harness(&["cancel", "suite.yaml", "--store", "store"]),
        0,
    );
    assert!(
        slurm.calls().ends_with("scancel 101 102 103\n"),
        "{}",
        slurm.calls()
    );

    // A training that ran out of memory is told, and gets twice as much.
    let (mine, memory) = {
        let stage = plan["stages"]
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["stage"] == "trainings");
        let stage = stage.unwrap();
        let name = stage["tasks"][0]["units"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        (name, stage["request"]["memory-mib"].as_u64().unwrap())
    };
    env.write(
        "queue",
        format!("102_1|harness-{id}-trainings|OUT_OF_MEMORY|node7\n"),
    );
    let failed = slurm.status()["failed"].clone();
    let causes: Vec<&Value> = failed.as_array().unwrap().iter().collect();
    assert!(
        causes
            .iter()
            .any(|f| f["unit"] == mine.as_str() && f["cause"] == "OUT_OF_MEMORY"),
        "{failed}"
    );
    let cells = report(&env, "store", &plan, 103).cells;
    assert!(cells.iter().all(|cell| cell.status != Status::Ok));
    // Slurm forgets; what it said is noted.
    env.write("queue", "");
    let (out, _) = done(&slurm.harness(&submit), 0);
    let again = out.lines().next().unwrap().strip_prefix("plan ").unwrap();
    let again = env.path("store/submissions").join(again).join("plan.json");
    let again: Value = serde_json::from_slice(&std::fs::read(again).unwrap()).unwrap();
    let stage = again["stages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["stage"] == "trainings");
    assert_eq!(stage.unwrap()["request"]["memory-mib"], 2 * memory);
}
