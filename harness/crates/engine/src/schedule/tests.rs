//! A pool against workers that misbehave: a shell script that acts on the name of
//! the backbone in its job.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::images::ImageOptions;
use crate::job::{
    BackboneRef, DatasetRef, JobOutput, MethodRef, PluginRef, Presence, UnitWork, Work,
};

const SCRIPT: &str = r#"
reply() { printf '{"reply":{"id":%s,"outcome":{%s}}}\n' "$1" "$2"; }
echo "$$ begin" >> "$DIARY"
while IFS= read -r line; do
    id=${line#*\"id\":}; id=${id%%,*}
    name=${line#*\"name\":\"}; name=${name%%\"*}
    echo "$$ $name" >> "$DIARY"
    case "$name" in
        abort) echo "about to abort" >&2; kill -ABRT $$ ;;
        segv) kill -SEGV $$ ;;
        exit) exit 0 ;;
        exit3) echo "no more" >&2; exit 3 ;;
        garbage) echo "hello from a plugin"; sleep 1000 ;;
        endless) head -c 70000000 /dev/zero; sleep 1000 ;;
        stranger) reply 999999 '"failed":{"message":"x"}' ;;
        hang) sleep 1000 & echo $! >> "$PIDS"; echo "hanging" >&2; wait ;;
        mute) exec 1>&-; sleep 1000 & echo $! >> "$PIDS"; wait ;;
        litter) sleep 1000 > /dev/null 2>&1 & echo $! >> "$PIDS"; reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}' ;;
        killed-once) if [ -e "$DIARY.once" ]; then reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}'
            else : > "$DIARY.once"; kill -KILL $$; fi ;;
        roomy) if [ "$HARNESS_WORKER_MEMORY" = 500 ]; then reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}'
            else reply $id '"device-memory":{"message":"too little"}'; fi ;;
        huge) reply $id '"device-memory":{"message":"too little"}' ;;
        latent) reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}'
            IFS= read -r line; kill -SEGV $$ ;;
        killed) kill -KILL $$ ;;
        bomb) echo "memory allocation of 99 bytes failed" >&2; kill -ABRT $$ ;;
        heir) setsid sleep 1000 2> /dev/null & echo $! >> "$PIDS"; kill -SEGV $$ ;;
        daemon) setsid sleep 1000 > /dev/null 2>&1 & echo $! >> "$PIDS"; kill -SEGV $$ ;;
        wordy) printf '{"reply":{"id":%s,"outcome":{"failed":{"message":"' "$id"; head -c 30000000 /dev/zero | tr '\0' x; printf '"}}}}\n' ;;
        noisy) head -c 3000000 /dev/zero | tr '\0' x >&2; echo "last words" >&2; exit 1 ;;
        fail) echo "the reason" >&2; reply $id '"failed":{"message":"no such thing"}' ;;
        unfit) reply $id '"not-injectable":{"reason":"too wide"}' ;;
        slow) sleep 0.3; reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}' ;;
        *) printf '{"progress":{"id":%s,"done":1,"total":2}}\n' "$id"
           reply $id '"done":{"output":{"features":{"images":1}},"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}' ;;
    esac
done
"#;

struct Stage {
    folder: tempfile::TempDir,
    cancel: AtomicBool,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pids"), "").unwrap();
        std::fs::write(folder.path().join("diary"), "").unwrap();
        Self {
            folder,
            cancel: AtomicBool::new(false),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pool(&self, jobs: usize) -> Pool<'_> {
        Pool {
            command: WorkerCommand {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), SCRIPT.into()],
                envs: vec![
                    ("PIDS".into(), self.path("pids").into()),
                    ("DIARY".into(), self.path("diary").into()),
                    ("HARNESS_WORKER_MEMORY".into(), "1000".into()),
                ],
            },
            jobs,
            devices: Vec::new(),
            time_limit: Duration::from_secs(2),
            store: self.folder.path().to_owned(),
            cancel: &self.cancel,
        }
    }

    fn run(&self, jobs: usize, tasks: &[PoolTask]) -> Vec<TaskResult> {
        let mut seen = vec![0; tasks.len()];
        let results = self
            .pool(jobs)
            .run(tasks, &mut Silent, &mut |index, result| {
                seen[index.0] += 1;
                Ok(result)
            })
            .unwrap();
        let expected: Vec<i32> = results
            .iter()
            .map(|result| i32::from(*result != TaskResult::NotRun))
            .collect();
        assert_eq!(seen, expected, "each task is told of once");
        self.assert_no_orphan();
        results
    }

    /// Every process that a worker noted is gone, or dead and waiting for init.
    fn assert_no_orphan(&self) {
        let pids = std::fs::read_to_string(self.path("pids")).unwrap();
        let diary = std::fs::read_to_string(self.path("diary")).unwrap();
        let workers = diary.lines().filter_map(|line| line.split(' ').next());
        for pid in pids.lines().chain(workers) {
            let start = Instant::now();
            while is_alive(pid) {
                assert!(start.elapsed() < Duration::from_secs(2), "{pid} still runs");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Names of the tasks by worker, in the order of their start.
    fn diary(&self) -> Vec<Vec<String>> {
        let mut workers: Vec<(String, Vec<String>)> = Vec::new();
        for line in std::fs::read_to_string(self.path("diary")).unwrap().lines() {
            let (pid, what) = line.split_once(' ').unwrap();
            if what == "begin" {
                workers.push((pid.to_owned(), Vec::new()));
            } else if let Some((_, names)) = workers.iter_mut().rev().find(|(p, _)| p == pid) {
                names.push(what.to_owned());
            }
        }
        workers.into_iter().map(|(_, names)| names).collect()
    }
}

fn is_alive(pid: &str) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.starts_with('Z'))
}

fn task(name: &str) -> PoolTask {
    PoolTask {
        name: name.to_owned(),
        work: Work::Unit {
            work: Box::new(UnitWork::ZeroShot {
                backbone: backbone(name),
                dataset: dataset(),
                images: ImageOptions::default(),
            }),
            module: None,
        },
        needs: Vec::new(),
        log: None,
        weight: 1.0,
    }
}

fn backbone(name: &str) -> BackboneRef {
    BackboneRef {
        name: name.to_owned(),
        files: Presence::Absent,
    }
}

fn dataset() -> DatasetRef {
    DatasetRef {
        name: "d".into(),
        files: Presence::Absent,
    }
}

fn with_plugin(name: &str, plugin: &str) -> PoolTask {
    PoolTask {
        work: Work::Unit {
            work: Box::new(UnitWork::Survey {
                // Has no name, so the script reads the backbone's.
                method: MethodRef {
                    plugin: PluginRef::library(plugin.into()),
                    plugin_sha256: String::new(),
                    id: "m".into(),
                    config: serde_json::Value::Null,
                },
                backbone: backbone(name),
                dataset: dataset(),
            }),
            module: None,
        },
        ..task(name)
    }
}

fn finished(result: &TaskResult) -> bool {
    matches!(result, TaskResult::Finished { output, .. } if **output == JobOutput::Features { images: 1 })
}

#[test]
fn each_way_to_misbehave_is_the_status_of_its_task_alone() {
    let names = [
        "good", "abort", "good", "segv", "exit", "exit3", "good", "garbage", "endless", "stranger",
        "fail", "unfit", "good", "mute", "noisy", "good",
    ];
    for jobs in [1, 3] {
        let stage = Stage::new();
        let tasks: Vec<PoolTask> = names.iter().map(|name| task(name)).collect();
        let results = stage.run(jobs, &tasks);
        let crash = |index: usize| match &results[index] {
            TaskResult::Crashed { message, log } => (message.as_str(), log.as_str()),
            other => panic!("{}: {other:?}", names[index]),
        };
        for (name, result) in names.iter().zip(&results) {
            assert_eq!(finished(result), *name == "good", "{name}: {result:?}");
        }
        assert_eq!(
            crash(1),
            (
                "the worker was ended by signal 6 (abort) before it replied",
                "about to abort\n"
            )
        );
        assert!(crash(3).0.contains("signal 11 (segmentation fault)"));
        assert_eq!(
            crash(4).0,
            "the worker ended with status 0 before it replied"
        );
        assert_eq!(
            crash(5),
            (
                "the worker ended with status 3 before it replied",
                "no more\n"
            )
        );
        assert_eq!(
            crash(7).0,
            "the worker wrote \"hello from a plugin\" instead of a reply"
        );
        assert!(crash(8).0.contains("instead of a reply"));
        assert_eq!(crash(9).0, "the worker sent an unexpected reply");
        assert_eq!(
            results[10],
            TaskResult::Failed {
                message: "no such thing".into(),
                log: "the reason\n".into()
            }
        );
        assert_eq!(
            results[11],
            TaskResult::NotInjectable {
                reason: "too wide".into()
            }
        );
        assert!(crash(13).0.contains("before it replied"));
        let log = crash(14).1;
        assert!(
            log.len() < 100_000 && log.ends_with("last words\n"),
            "{}",
            log.len()
        );
    }
}

/// What the pool warned of.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Observer for Warnings {
    fn finished(&mut self, _: &PoolTask, _: &TaskResult) {}
    fn tick(&mut self, _: &Progress) {}
    fn warn(&mut self, message: &str) {
        self.0.push(message.to_owned());
    }
}

#[test]
fn a_worker_that_the_system_killed_is_tried_once_more_and_called_flaky() {
    let stage = Stage::new();
    let tasks = [task("killed-once"), task("killed"), task("good")];
    let mut warnings = Warnings::default();
    let results = stage
        .pool(1)
        .run(&tasks, &mut warnings, &mut |_, result| Ok(result));
    let results = results.unwrap();
    assert!(
        finished(&results[0]) && finished(&results[2]),
        "{results:?}"
    );
    assert_eq!(
        results[1],
        TaskResult::Crashed {
            message: "the worker was ended by signal 9 (killed, possibly out of memory) before it \
                      replied"
                .into(),
            log: String::new()
        }
    );
    let Warnings(warnings) = warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(
        warnings[0].ends_with("trying once more in another"),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|line| line.starts_with("flaky: killed-once"))
    );
    let attempts = stage.diary().concat();
    let attempts = attempts.iter().filter(|name| *name == "killed");
    assert_eq!(attempts.count(), 2);
}

#[test]
fn a_task_that_fills_the_device_is_tried_with_half_in_a_worker_of_its_own() {
    let stage = Stage::new();
    let results = stage.run(1, &[task("roomy"), task("huge"), task("fine")]);
    assert!(finished(&results[0]) && finished(&results[2]));
    let TaskResult::Failed { message, .. } = &results[1] else {
        panic!("{:?}", results[1]);
    };
    assert!(
        message.contains("half of what --memory allows"),
        "{message}"
    );
    assert!(message.ends_with("too little"), "{message}");
    let twice = |name: &str| {
        stage
            .diary()
            .iter()
            .filter(|w| w.iter().any(|n| n == name))
            .count()
    };
    assert_eq!([twice("roomy"), twice("huge"), twice("fine")], [2, 2, 1]);
}

#[test]
fn a_job_that_ends_its_worker_later_costs_no_other_job() {
    let stage = Stage::new();
    let results = stage.run(1, &[task("latent"), task("good"), task("also-good")]);
    assert!(results.iter().all(finished), "{results:?}");
}

#[test]
fn memory_that_ran_out_is_named_and_a_long_error_is_cut() {
    let stage = Stage::new();
    let results = stage.run(1, &[task("bomb"), task("wordy"), task("good")]);
    let TaskResult::Crashed { message, .. } = &results[0] else {
        panic!("{results:?}");
    };
    assert_eq!(
        message,
        "the worker ran out of memory: memory allocation of 99 bytes failed"
    );
    let TaskResult::Failed { message, .. } = &results[1] else {
        panic!("not a failure");
    };
    assert!(message.len() < 5000 && message.ends_with("(29996000 more characters)"));
    assert!(finished(&results[2]));
}

#[test]
fn an_end_is_seen_though_a_child_holds_the_stdout_open() {
    let stage = Stage::new();
    let mut pool = stage.pool(1);
    pool.time_limit = Duration::from_secs(60);
    let results = pool.run(&[task("heir")], &mut Silent, &mut |_, result| Ok(result));
    let results = results.unwrap();
    assert!(
        matches!(&results[0], TaskResult::Crashed { message, .. } if message.contains("signal 11")),
        "{results:?}"
    );
    stage.assert_no_orphan();
}

#[test]
fn a_child_in_a_session_of_its_own_ends_with_its_worker() {
    let stage = Stage::new();
    stage.run(1, &[task("daemon"), task("good")]);
    let pids = std::fs::read_to_string(stage.path("pids")).unwrap();
    assert_eq!(pids.lines().count(), 1);
    stage.assert_no_orphan();
}

#[test]
fn a_hang_ends_at_the_limit_with_everything_it_started() {
    let stage = Stage::new();
    let start = Instant::now();
    let results = stage.run(2, &[task("hang"), task("good"), task("hang"), task("good")]);
    assert!(start.elapsed() < Duration::from_secs(8));
    for index in [0, 2] {
        assert_eq!(
            results[index],
            TaskResult::TimedOut {
                seconds: 2.0,
                log: "hanging\n".into()
            }
        );
    }
    assert!(finished(&results[1]) && finished(&results[3]));
    let pids = std::fs::read_to_string(stage.path("pids")).unwrap();
    assert_eq!(pids.lines().count(), 2);
}

#[test]
fn what_a_good_worker_leaves_running_ends_with_it() {
    let stage = Stage::new();
    assert!(finished(&stage.run(1, &[task("litter")])[0]));
    let pids = std::fs::read_to_string(stage.path("pids")).unwrap();
    assert_eq!(pids.lines().count(), 1);
}

#[test]
fn tasks_wait_for_their_needs_and_are_blocked_by_their_failure() {
    let stage = Stage::new();
    let mut tasks = vec![
        task("slow"),
        task("second"),
        task("abort"),
        task("never"),
        task("nor"),
    ];
    tasks[1].needs = vec![TaskIndex(0)];
    tasks[3].needs = vec![TaskIndex(0), TaskIndex(2)];
    tasks[4].needs = vec![TaskIndex(3)];
    let results = stage.run(4, &tasks);
    assert!(finished(&results[0]) && finished(&results[1]));
    assert_eq!(results[3], TaskResult::Blocked { by: TaskIndex(2) });
    assert_eq!(results[4], TaskResult::Blocked { by: TaskIndex(3) });
    let diary = stage.diary().concat();
    let place = |name: &str| diary.iter().position(|other| other == name);
    assert!(place("slow") < place("second"));
    assert_eq!(place("never"), None);
}

#[test]
fn a_worker_is_reused_and_sees_one_plugin_at_most() {
    let stage = Stage::new();
    let tasks = [
        task("plain-1"),
        with_plugin("a-1", "a.so"),
        with_plugin("b-1", "b.so"),
        with_plugin("a-2", "a.so"),
        task("plain-2"),
        with_plugin("b-2", "b.so"),
    ];
    let results = stage.run(1, &tasks);
    assert!(results.iter().all(finished), "{results:?}");
    let diary = stage.diary();
    for names in &diary {
        let mut plugins: Vec<&str> = names.iter().map(|name| &name[..1]).collect();
        plugins.retain(|plugin| *plugin != "p");
        plugins.dedup();
        assert!(plugins.len() <= 1, "{diary:?}");
    }
    assert_eq!(diary.len(), 2, "one worker a plugin: {diary:?}");
}

#[test]
fn an_interrupt_drops_what_is_in_hand_and_leaves_no_process() {
    let stage = Stage::new();
    let tasks = [task("good"), task("hang"), task("hang"), task("good")];
    let results = std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while std::fs::read_to_string(stage.path("pids"))
                .unwrap()
                .lines()
                .count()
                < 2
            {
                assert!(start.elapsed() < Duration::from_secs(10));
                std::thread::sleep(Duration::from_millis(5));
            }
            stage.cancel.store(true, Ordering::Relaxed);
        });
        let mut pool = stage.pool(2);
        pool.time_limit = Duration::from_secs(60);
        pool.run(&tasks, &mut Silent, &mut |_, result| Ok(result))
            .unwrap()
    });
    stage.assert_no_orphan();
    assert!(finished(&results[0]));
    assert_eq!(results[1..], [const { TaskResult::NotRun }; 3]);
}

#[test]
fn a_worker_that_cannot_be_started_is_named() {
    let stage = Stage::new();
    let mut pool = stage.pool(1);
    pool.command.program = "/nowhere/harness".into();
    let error = pool
        .run(&[task("good")], &mut Silent, &mut |_, result| Ok(result))
        .unwrap_err();
    assert!(error.to_string().contains("/nowhere/harness"), "{error}");
}
