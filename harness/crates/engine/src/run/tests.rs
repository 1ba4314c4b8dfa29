//! What is done again and what is not, with a shell script as the worker.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness_report::Status;

use super::execute::{ExecContext, execute};
use super::results::Results;
use super::status;
use crate::plan::fixture::inputs;
use crate::plan::{Fits, Plan, UnitIndex};
use crate::schedule::{Observer, Pool, PoolTask, Progress, TaskResult, WorkerCommand};
use harness_report::selection::Selection;
use harness_store::Store;

/// Answers every job; fails a kind of work when a file of that name exists.
const SCRIPT: &str = r#"
reply() { printf '{"reply":{"id":%s,"outcome":{"done":{"output":%s,"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}}}}\n' "$id" "$1"; }
seen='"evaluation":{"predictions":[0,1],"labels":[0,0],"logits_sha256":"l","seconds":0}'
hash=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
while IFS= read -r line; do
    id=${line#*\"id\":}; id=${id%%,*}
    work=${line#*\"unit\":\{\"work\":\{\"}; work=${work%%\"*}
    [ -e "$FOLDER/$work.crash" ] && kill -ABRT $$
    case "$work" in
        survey) reply '{"surveyed":{"parameters":3,"shapes":{"ctx":[3]},"recipe":null}}' ;;
        features) reply '{"features":{"images":2}}' ;;
        zero-shot) reply '{"zero-shot":{'"$seen"'}}' ;;
        train)
            module=${line#*\"module\":\"}; module=${module%%\"*}
            [ -e "$FOLDER/train.lie" ] || printf abc > "$module"
            reply '{"trained":{'"$seen"',"module_sha256":"'$hash'","module_bytes":3,"parameters_sha256":"p","parameters":3,"steps":1,"train_seconds":0,"final_loss":1.5,"recipe":null,"picks_sha256":"k"}}' ;;
        inject) reply '{"injected":{'"$seen"',"parameters_sha256_before":"p","parameters_sha256_after":"p"}}' ;;
    esac
done
"#;

#[derive(Default)]
struct Notes {
    done: Vec<String>,
    warnings: Vec<String>,
}

impl Observer for Notes {
    fn finished(&mut self, task: &PoolTask, _result: &TaskResult) {
        self.done.push(task.name.clone());
    }

    fn tick(&mut self, _progress: &Progress) {}

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

struct TestEnv {
    folder: tempfile::TempDir,
    store: Store,
    never: AtomicBool,
    plan: Plan,
}

const TRAIN: &str = "train coop on s, d, 16 shots, seed 1";

impl TestEnv {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("store"))).unwrap();
        let mut env = Self {
            folder,
            store,
            never: AtomicBool::new(false),
            plan: Plan::new(&inputs(&["t"]), &Selection::default(), &Fits::default()),
        };
        let inputs = inputs(&["t"]);
        let (graph, surveys) = Plan::surveys(&inputs, &Selection::default());
        let units: Vec<UnitIndex> = surveys.iter().map(|(_, unit)| *unit).collect();
        let pool = env.pool();
        let context = ExecContext {
            store: &env.store,
            pool: &pool,
            is_fresh: false,
            weight: &|_| 1.0,
        };
        let answers = execute(&graph, units, &context, &|_, _| (), &mut Notes::default()).unwrap();
        let mut fits = Fits::default();
        for (at, unit) in surveys {
            fits.add(at, answers.get(unit).unwrap().clone());
        }
        env.plan = Plan::new(&inputs, &Selection::default(), &fits);
        env
    }

    fn pool(&self) -> Pool<'_> {
        Pool {
            command: WorkerCommand {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), SCRIPT.into()],
                envs: vec![("FOLDER".into(), self.folder.path().into())],
            },
            jobs: 2,
            devices: Vec::new(),
            time_limit: Duration::from_secs(20),
            store: self.store.root().to_owned(),
            cancel: &self.never,
        }
    }

    fn set(&self, flag: &str, is_set: bool) {
        let path = self.folder.path().join(flag);
        if is_set {
            std::fs::write(path, "").unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    fn run(&self, is_fresh: bool) -> (Results, Notes) {
        let pool = self.pool();
        let context = ExecContext {
            store: &self.store,
            pool: &pool,
            is_fresh,
            weight: &|_| 1.0,
        };
        let mut notes = Notes::default();
        let wanted = self.plan.cells[0].units();
        let results = execute(&self.plan.graph, wanted, &context, &|_, _| (), &mut notes).unwrap();
        notes.done.sort();
        (results, notes)
    }

    fn status(&self, results: &Results) -> Status {
        status::of_cell(&self.plan.cells[0], results)
    }
}

#[test]
fn running_again_does_nothing_and_says_the_same() {
    let env = TestEnv::new();
    let (first, notes) = env.run(false);
    assert_eq!(notes.done.len(), 9, "{:?}", notes.done);
    assert_eq!(env.status(&first), Status::Ok);
    let (second, notes) = env.run(false);
    assert!(notes.done.is_empty(), "{:?}", notes.done);
    for unit in env.plan.cells[0].units() {
        assert_eq!(first.get(unit), second.get(unit));
    }
    assert_eq!(env.run(true).1.done.len(), 9);
}

#[test]
fn what_failed_is_done_again_and_nothing_else() {
    let env = TestEnv::new();
    env.set("inject.crash", true);
    let (results, _) = env.run(false);
    let Status::Crashed { message, .. } = env.status(&results) else {
        panic!("{:?}", env.status(&results));
    };
    assert!(message.contains("signal 6"), "{message}");
    env.set("inject.crash", false);
    let (results, notes) = env.run(false);
    assert_eq!(notes.done, ["inject coop into t, d"]);
    assert_eq!(env.status(&results), Status::Ok);
}

#[test]
fn a_crash_in_training_is_the_cells_status_and_leaves_a_log() {
    let env = TestEnv::new();
    env.set("train.crash", true);
    let (results, notes) = env.run(false);
    assert!(matches!(env.status(&results), Status::Crashed { .. }));
    assert!(notes.done.contains(&"zero-shot of d on t".to_owned()));
    let cell = &env.plan.cells[0];
    let train = *cell.train.as_ref().unwrap();
    let new = *cell.new.as_ref().unwrap();
    assert_eq!(results.get(new), Some(&TaskResult::Blocked { by: train }));
    let log = std::fs::read_to_string(env.store.log(&env.plan.graph[train].key)).unwrap();
    let (head, log) = log.split_once('\n').unwrap();
    assert!(head.starts_with("log of unit "), "{head}");
    assert!(log.starts_with(TRAIN) && log.contains("signal 6"), "{log}");
}

#[test]
fn features_that_crash_are_the_status_of_all_that_needs_them() {
    let env = TestEnv::new();
    env.set("features.crash", true);
    let (results, notes) = env.run(false);
    assert!(matches!(env.status(&results), Status::Crashed { .. }));
    assert_eq!(
        notes.done.len(),
        9,
        "each unit is accounted for: {:?}",
        notes.done
    );
}

#[test]
fn a_lost_module_is_trained_again_only_when_it_is_needed() {
    let env = TestEnv::new();
    env.run(false);
    let cell = &env.plan.cells[0];
    let key = |unit: &Result<UnitIndex, _>| env.plan.graph[*unit.as_ref().unwrap()].key.clone();
    let module = env.store.module(&key(&cell.train));
    std::fs::remove_file(&module).unwrap();
    assert!(env.run(false).1.done.is_empty());
    let inject = env.store.root().join("units").join(key(&cell.new).as_str());
    std::fs::remove_file(&inject).unwrap();
    assert_eq!(env.run(false).1.done, ["inject coop into t, d", TRAIN]);
    // A module that was changed on disk is not injected either.
    std::fs::write(&module, "abd").unwrap();
    std::fs::remove_file(&inject).unwrap();
    let (_, notes) = env.run(false);
    assert_eq!(notes.done, ["inject coop into t, d", TRAIN]);
    assert!(
        notes.warnings[0].contains("is damaged"),
        "{:?}",
        notes.warnings
    );
}

#[test]
fn a_damaged_result_is_made_anew_with_a_warning() {
    let env = TestEnv::new();
    env.run(false);
    let zero = &env.plan.graph[env.plan.cells[0].zero_target].key;
    let path = env.store.root().join("units").join(zero.as_str());
    std::fs::write(&path, "nothing").unwrap();
    let (results, notes) = env.run(false);
    assert_eq!(notes.done, ["zero-shot of d on t"]);
    assert!(
        notes.warnings[0].contains(zero.as_str()),
        "{:?}",
        notes.warnings
    );
    assert_eq!(env.status(&results), Status::Ok);
}

#[test]
fn a_worker_that_tells_of_a_module_it_did_not_write_has_failed() {
    let env = TestEnv::new();
    env.set("train.lie", true);
    let (results, _) = env.run(false);
    let status = env.status(&results);
    assert!(
        matches!(&status, Status::Failed { message } if message.contains("a module it did not write")),
        "{status:?}"
    );
    env.set("train.lie", false);
    assert_eq!(env.status(&env.run(false).0), Status::Ok);
}
