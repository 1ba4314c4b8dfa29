//! `harness status`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::PathBuf;

use harness_engine::distribute::{
    EndedTask, PlannedState, Stage, Submission, TaskRecord, UnitEnd, planned_state,
};
use harness_engine::run::Settings;
use harness_report::ExitCode;
use harness_store::{Key, Store};
use indicatif::HumanDuration;
use serde::Serialize;

use crate::cli::StatusArguments;
use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;
use crate::settings::settings;
use crate::slurm::{Client, Queue, TaskState, causes};

/// Failures that are shown without --json.
const SHOWN: usize = 20;

/// What a suite's jobs have done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Progress {
    /// `harness-status/1`.
    schema: &'static str,
    suite: String,
    /// Units whose results are stored, are being computed, wait in the queue.
    pub(super) done: usize,
    pub(super) running: usize,
    pub(super) waiting: usize,
    /// Units whose last attempt failed, with the cause.
    pub(super) failed: Vec<FailedUnit>,
    /// Units that no job is going to do.
    pub(super) missing: usize,
    /// Jobs that wait or run, the report's included.
    pub(super) live_jobs: usize,
    /// Estimated seconds until the last task ends, without more waiting in the queue; null
    /// where nothing runs or waits.
    eta_seconds: Option<f64>,
    tasks: Vec<TaskLine>,
}

/// A unit that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct FailedUnit {
    unit: String,
    cause: String,
    log: PathBuf,
}

/// A task of the latest submission that has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct TaskLine {
    plan: String,
    stage: String,
    shard: usize,
    job: String,
    state: String,
    node: String,
}

pub(crate) fn status(arguments: &StatusArguments) -> Result<ExitCode, Failure> {
    let mut settings = settings(&arguments.suite)?;
    settings.device.elsewhere = true;
    let client = match Client::find() {
        Ok(client) => Some(client),
        Err(_) => {
            say!("note: Slurm is not here; showing what is stored");
            None
        }
    };
    let found = progress(&settings, client.as_ref())?;
    match arguments.json {
        true => output::print_json(&found)?,
        false => output::print(&found.table())?,
    }
    Ok(ExitCode::Ok)
}

/// Looks at the store and the queue.
pub(super) fn progress(
    settings: &Settings<'_>,
    client: Option<&Client>,
) -> Result<Progress, Failure> {
    let store = Store::open(settings.store.clone())
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    let suite = fs_err::canonicalize(&settings.suite).unwrap_or_else(|_| settings.suite.clone());
    let plans = Submission::of_suite(store.root(), &suite);
    let queue = match (client, plans.first()) {
        (Some(client), Some(oldest)) => client.queue(&oldest.created)?,
        _ => Queue::default(),
    };
    let ended = causes(store.root(), &plans, &queue);
    let mut reporter = Reporter::new();
    let state = planned_state(settings, &mut reporter);
    reporter.finish();
    Ok(count(&store, state?, &plans, &queue, &ended))
}

fn count(
    store: &Store,
    state: PlannedState,
    plans: &[Submission],
    queue: &Queue,
    ended: &[EndedTask],
) -> Progress {
    let mut live: HashMap<&Key, &TaskState> = HashMap::new();
    let mut tasks = Vec::new();
    let mut left: BTreeMap<Stage, Vec<f64>> = BTreeMap::new();
    let stored: HashMap<&Key, bool> = state.units.iter().map(|u| (&u.key, u.is_stored)).collect();
    let mut live_jobs = 0;
    for plan in plans {
        for task in queue.of_plan(&plan.id) {
            live_jobs += usize::from(task.state.is_live());
            let planned = task
                .stage
                .and_then(|stage| plan.stage(stage)?.tasks.get(task.shard - 1));
            if let (Some(stage), Some(planned)) = (task.stage, planned)
                && task.state.is_live()
            {
                live.extend(planned.units.iter().map(|unit| (&unit.key, &task.state)));
                let cpu = plan.stage(stage).map_or(1, |plan| plan.request.cpus.max(1));
                let open = planned
                    .units
                    .iter()
                    .filter(|unit| stored.get(&unit.key) == Some(&false));
                let seconds: f64 = open.map(|unit| unit.seconds).sum();
                left.entry(stage).or_default().push(seconds / cpu as f64);
            }
            tasks.push(TaskLine {
                plan: plan.id.clone(),
                stage: task.stage.map_or("report", Stage::name).to_owned(),
                shard: task.shard,
                job: task.job.clone(),
                state: match &task.state {
                    TaskState::Waiting => "waiting".to_owned(),
                    TaskState::Running => "running".to_owned(),
                    TaskState::Completed => "completed".to_owned(),
                    TaskState::Ended(_) => cause_of(ended, plan, task.stage, task.shard),
                },
                node: task.node.clone(),
            });
        }
    }
    let causes = unit_causes(store, plans, ended);
    let mut found = Progress {
        schema: "harness-status/1",
        suite: state.suite,
        done: 0,
        running: 0,
        waiting: 0,
        failed: Vec::new(),
        missing: 0,
        live_jobs,
        eta_seconds: (!left.is_empty()).then(|| {
            // Stages follow each other; the tasks of one run beside each other.
            left.values()
                .map(|tasks| tasks.iter().copied().fold(0.0, f64::max))
                .sum()
        }),
        tasks,
    };
    for unit in state.units {
        match (unit.is_stored, live.get(&unit.key), causes.get(&unit.key)) {
            (true, _, _) => found.done += 1,
            (false, Some(TaskState::Running), _) => found.running += 1,
            (false, Some(_), _) => found.waiting += 1,
            (false, None, Some((cause, log))) => found.failed.push(FailedUnit {
                unit: unit.name,
                cause: cause.clone(),
                log: log.clone(),
            }),
            (false, None, None) => found.missing += 1,
        }
    }
    found
}

fn cause_of(ended: &[EndedTask], plan: &Submission, stage: Option<Stage>, shard: usize) -> String {
    let found = ended
        .iter()
        .find(|task| task.plan == plan.id && Some(task.stage) == stage && task.shard == shard);
    found.map_or_else(|| "failed".to_owned(), |task| task.cause.clone())
}

/// Why each unit failed that did, and where its log is: what its last attempt recorded, or how
/// its task ended.
fn unit_causes(
    store: &Store,
    plans: &[Submission],
    ended: &[EndedTask],
) -> HashMap<Key, (String, PathBuf)> {
    let mut all = HashMap::new();
    for plan in plans {
        for task in ended.iter().filter(|task| task.plan == plan.id) {
            let planned = plan
                .stage(task.stage)
                .and_then(|stage| stage.tasks.get(task.shard - 1));
            for unit in planned.into_iter().flat_map(|task| &task.units) {
                let cause = (task.cause.clone(), task.log.clone());
                all.insert(unit.key.clone(), cause);
            }
        }
        for unit in TaskRecord::all(store.root(), &plan.id)
            .iter()
            .flat_map(|record| &record.units)
        {
            let cause = match &unit.end {
                UnitEnd::Failed { message, .. } | UnitEnd::Crashed { message, .. } => {
                    message.clone()
                }
                UnitEnd::Killed { message, .. } => format!("OUT_OF_MEMORY: {message}"),
                UnitEnd::TimedOut { seconds, .. } => format!("no answer within {seconds} s"),
                UnitEnd::Blocked { .. } => {
                    all.remove(&unit.key);
                    continue;
                }
                UnitEnd::Stored | UnitEnd::NotRun => continue,
            };
            all.insert(unit.key.clone(), (cause, store.log(&unit.key)));
        }
    }
    all
}

impl Progress {
    /// One line for a user who waits.
    pub(super) fn line(&self) -> String {
        let mut text = format!(
            "{} done, {} running, {} waiting, {} failed",
            self.done,
            self.running,
            self.waiting,
            self.failed.len()
        );
        if self.missing > 0 {
            let _ = write!(text, ", {} not submitted", self.missing);
        }
        if let Some(seconds) = self.eta_seconds {
            let left = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
            let _ = write!(text, ", about {} left", HumanDuration(left));
        }
        text
    }

    pub(super) fn summary(&self) -> String {
        format!("Summary: {}\n", self.line())
    }

    fn table(&self) -> String {
        let mut text = format!("{}\n", self.suite);
        let mut states: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for task in &self.tasks {
            *states.entry((&task.stage, &task.state)).or_default() += 1;
        }
        for stage in Stage::ALL.map(Stage::name).into_iter().chain(["report"]) {
            let counts = states.iter().filter(|((name, _), _)| *name == stage);
            let counts: Vec<String> = counts
                .map(|((_, state), count)| format!("{count} {state}"))
                .collect();
            if !counts.is_empty() {
                let _ = writeln!(text, "  {stage:<10} tasks: {}", counts.join(", "));
            }
        }
        for unit in self.failed.iter().take(SHOWN) {
            let _ = writeln!(
                text,
                "  failed: {}: {}\n    log: {}",
                unit.unit,
                unit.cause,
                unit.log.display()
            );
        }
        if self.failed.len() > SHOWN {
            let _ = writeln!(text, "  and {} more, see --json", self.failed.len() - SHOWN);
        }
        text + &self.summary()
    }
}
