//! What is done again and what is not, with a shell script as the worker.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness_report::Status;

use super::execute::{Means, execute};
use super::status;
use crate::plan::fixture::inputs;
use crate::plan::{Fits, Plan, Selection};
use crate::schedule::{Observer, Pool, Progress, Task, TaskResult, WorkerCommand};
use harness_store::Store;

/// Answers every job; fails a kind of work when a file of that name exists.
const SCRIPT: &str = r#"
reply() { printf '{"line":"reply","id":%s,"outcome":"done","output":%s,"usage":{"wall_seconds":0,"cpu_seconds":0,"peak_mib":0}}\n' "$id" "$1"; }
seen='"evaluation":{"predictions":[0,1],"labels":[0,0],"logits_sha256":"l","seconds":0}'
hash=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
while IFS= read -r line; do
    id=${line#*\"id\":}; id=${id%%,*}
    work=${line#*\"work\":\"}; work=${work%%\"*}
    [ -e "$GROUND/$work.crash" ] && kill -ABRT $$
    case "$work" in
        survey) reply '{"output":"surveyed","parameters":3,"shapes":{"ctx":[3]},"recipe":null}' ;;
        features) reply '{"output":"features","images":2}' ;;
        zero-shot) reply '{"output":"zero-shot",'"$seen"'}' ;;
        train)
            module=${line#*\"module\":\"}; module=${module%%\"*}
            [ -e "$GROUND/train.lie" ] || printf abc > "$module"
            reply '{"output":"trained",'"$seen"',"module_sha256":"'$hash'","module_bytes":3,"parameters_sha256":"p","parameters":3,"steps":1,"train_seconds":0,"final_loss":1.5,"recipe":null,"picks_sha256":"k"}' ;;
        inject) reply '{"output":"injected",'"$seen"',"parameters_sha256_before":"p","parameters_sha256_after":"p"}' ;;
    esac
done
"#;

#[derive(Default)]
struct Notes {
    done: Vec<String>,
    warnings: Vec<String>,
}

impl Observer for Notes {
    fn finished(&mut self, task: &Task, _result: &TaskResult) {
        self.done.push(task.name.clone());
    }

    fn tick(&mut self, _progress: &Progress) {}

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

struct Ground {
    folder: tempfile::TempDir,
    store: Store,
    never: AtomicBool,
    plan: Plan,
}

const TRAIN: &str = "train coop on s, d, 16 shots, seed 1";

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("store"))).unwrap();
        let mut ground = Self {
            folder,
            store,
            never: AtomicBool::new(false),
            plan: Plan::new(&inputs(&["t"]), &Selection::default(), &Fits::default()),
        };
        let inputs = inputs(&["t"]);
        let (graph, surveys) = Plan::surveys(&inputs, &Selection::default());
        let units: Vec<usize> = surveys.iter().map(|(_, unit)| *unit).collect();
        let pool = ground.pool();
        let means = Means {
            store: &ground.store,
            pool: &pool,
            is_fresh: false,
        };
        let answers = execute(&graph, units, &means, &mut Notes::default()).unwrap();
        let mut fits = Fits::default();
        for (at, unit) in surveys {
            fits.add(at, answers[&unit].clone());
        }
        ground.plan = Plan::new(&inputs, &Selection::default(), &fits);
        ground
    }

    fn pool(&self) -> Pool<'_> {
        Pool {
            command: WorkerCommand {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), SCRIPT.into()],
                envs: vec![("GROUND".into(), self.folder.path().into())],
            },
            jobs: 2,
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

    fn run(&self, is_fresh: bool) -> (HashMap<usize, TaskResult>, Notes) {
        let pool = self.pool();
        let means = Means {
            store: &self.store,
            pool: &pool,
            is_fresh,
        };
        let mut notes = Notes::default();
        let wanted = self.plan.cells[0].units();
        let results = execute(&self.plan.graph, wanted, &means, &mut notes).unwrap();
        notes.done.sort();
        (results, notes)
    }

    fn status(&self, results: &HashMap<usize, TaskResult>) -> Status {
        status::of_cell(&self.plan.cells[0], results)
    }
}

#[test]
fn running_again_does_nothing_and_says_the_same() {
    let ground = Ground::new();
    let (first, notes) = ground.run(false);
    assert_eq!(notes.done.len(), 9, "{:?}", notes.done);
    assert_eq!(ground.status(&first), Status::Ok);
    let (second, notes) = ground.run(false);
    assert!(notes.done.is_empty(), "{:?}", notes.done);
    for unit in ground.plan.cells[0].units() {
        assert_eq!(first[&unit], second[&unit]);
    }
    assert_eq!(ground.run(true).1.done.len(), 9);
}

#[test]
fn what_failed_is_done_again_and_nothing_else() {
    let ground = Ground::new();
    ground.set("inject.crash", true);
    let (results, _) = ground.run(false);
    let Status::Crashed { message, .. } = ground.status(&results) else {
        panic!("{:?}", ground.status(&results));
    };
    assert!(message.contains("signal 6"), "{message}");
    ground.set("inject.crash", false);
    let (results, notes) = ground.run(false);
    assert_eq!(notes.done, ["inject coop into t, d"]);
    assert_eq!(ground.status(&results), Status::Ok);
}

#[test]
fn a_crash_in_training_is_the_cells_status_and_leaves_a_log() {
    let ground = Ground::new();
    ground.set("train.crash", true);
    let (results, notes) = ground.run(false);
    assert!(matches!(ground.status(&results), Status::Crashed { .. }));
    assert!(notes.done.contains(&"zero-shot of d on t".to_owned()));
    let cell = &ground.plan.cells[0];
    let train = *cell.train.as_ref().unwrap();
    let new = *cell.new.as_ref().unwrap();
    assert_eq!(results[&new], TaskResult::Blocked { by: train });
    let log =
        std::fs::read_to_string(ground.store.log(&ground.plan.graph.units[train].key)).unwrap();
    assert!(log.starts_with(TRAIN) && log.contains("signal 6"), "{log}");
}

#[test]
fn features_that_crash_are_the_status_of_all_that_needs_them() {
    let ground = Ground::new();
    ground.set("features.crash", true);
    let (results, notes) = ground.run(false);
    assert!(matches!(ground.status(&results), Status::Crashed { .. }));
    assert_eq!(
        notes.done.len(),
        9,
        "each unit is accounted for: {:?}",
        notes.done
    );
}

#[test]
fn a_lost_module_is_trained_again_only_when_it_is_needed() {
    let ground = Ground::new();
    ground.run(false);
    let cell = &ground.plan.cells[0];
    let key =
        |unit: &Result<usize, _>| ground.plan.graph.units[*unit.as_ref().unwrap()].key.clone();
    let module = ground.store.module(&key(&cell.train));
    std::fs::remove_file(&module).unwrap();
    assert!(ground.run(false).1.done.is_empty());
    let inject = ground
        .store
        .root()
        .join("units")
        .join(key(&cell.new).as_str());
    std::fs::remove_file(&inject).unwrap();
    assert_eq!(ground.run(false).1.done, ["inject coop into t, d", TRAIN]);
    // A module that was changed on disk is not injected either.
    std::fs::write(&module, "abd").unwrap();
    std::fs::remove_file(&inject).unwrap();
    let (_, notes) = ground.run(false);
    assert_eq!(notes.done, ["inject coop into t, d", TRAIN]);
    assert!(
        notes.warnings[0].contains("is damaged"),
        "{:?}",
        notes.warnings
    );
}

#[test]
fn a_damaged_result_is_made_anew_with_a_warning() {
    let ground = Ground::new();
    ground.run(false);
    let zero = &ground.plan.graph.units[ground.plan.cells[0].zero_target].key;
    let path = ground.store.root().join("units").join(zero.as_str());
    std::fs::write(&path, "nothing").unwrap();
    let (results, notes) = ground.run(false);
    assert_eq!(notes.done, ["zero-shot of d on t"]);
    assert!(
        notes.warnings[0].contains(zero.as_str()),
        "{:?}",
        notes.warnings
    );
    assert_eq!(ground.status(&results), Status::Ok);
}

#[test]
fn a_worker_that_tells_of_a_module_it_did_not_write_has_failed() {
    let ground = Ground::new();
    ground.set("train.lie", true);
    let (results, _) = ground.run(false);
    let status = ground.status(&results);
    assert!(
        matches!(&status, Status::Failed { message } if message.contains("a module it did not write")),
        "{status:?}"
    );
    ground.set("train.lie", false);
    assert_eq!(ground.status(&ground.run(false).0), Status::Ok);
}
