//! Cuts what is not stored into tasks.

use std::collections::{HashMap, HashSet};

use harness_store::Key;

use super::cut::{CutBy, cut};
use super::request::{self, Floor, Request};
use super::submission::{PlannedUnit, StagePlan, Submission, TaskPlan};
use super::units::{OpenUnits, Piece, open_units, pieces};
use super::{DistributionError, Frozen, Stage};
use crate::device::DeviceChoice;
use crate::plan::Plan;
use crate::run::{RunError, SetUp, Settings, now_rfc3339};
use crate::schedule::Observer;

/// How to cut a plan.
#[derive(Clone, Debug)]
pub struct ProposalOptions {
    pub cut: CutBy,
    /// Worker processes of a task; by default one, or one for each of its GPUs.
    pub workers: Option<usize>,
    /// Most tasks of a stage.
    pub most_tasks: usize,
    /// Wall time to ask for in estimates.
    pub time_factor: f64,
    /// GPUs of a task; by default one where the towers run on GPUs.
    pub gpus: Option<u32>,
    /// Units that tasks of earlier submissions are about to do.
    pub live: HashSet<Key>,
    /// What units need that ran out of it before.
    pub floors: HashMap<Key, Floor>,
}

/// Tasks for what is not stored.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub submission: Submission,
    /// Units that are left to tasks of earlier submissions.
    pub live: usize,
    /// What the store grows by, in bytes.
    pub disk_bytes: u64,
    /// Where the tasks must run, which `auto` would leave to each of them.
    pub device: DeviceChoice,
}

/// Cuts what is neither stored nor about to be done into tasks.
///
/// # Errors
/// As for [`crate::run::run`], or `settings` ask for stored work to be done again.
pub fn propose(
    settings: &Settings<'_>,
    options: &ProposalOptions,
    observer: &mut dyn Observer,
) -> Result<Proposal, RunError> {
    if settings.fresh {
        return Err(DistributionError::Fresh.into());
    }
    let setup = SetUp::new(settings, observer)?;
    if !Plan::waiting(&setup.inputs, &settings.selection).is_empty() {
        return Err(RunError::Absent {
            suite: settings.suite.clone(),
            absent: setup.inputs.absent,
        });
    }
    let mut open = open_units(settings, &setup, observer)?;
    let before = open.units.len();
    let graph = &open.plan.graph;
    open.units
        .retain(|unit| !options.live.contains(&graph[*unit].key));
    let live = before - open.units.len();
    let suite = fs_err::canonicalize(&settings.suite).unwrap_or_else(|_| settings.suite.clone());
    let frozen = Frozen::of(&setup.inputs, &settings.selection);
    Ok(Proposal {
        submission: Submission::new(
            suite,
            now_rfc3339(),
            frozen,
            stages(&open, options, setup.placement.is_some()),
        ),
        live,
        disk_bytes: open.disk,
        device: match &setup.placement {
            Some(placement) => DeviceChoice::Gpu(placement.kind, None),
            None => DeviceChoice::Cpu,
        },
    })
}

impl ProposalOptions {
    /// GPUs and worker processes of a task.
    fn of_task(&self, on_gpus: bool) -> (u32, usize) {
        let gpus = self.gpus.unwrap_or(u32::from(on_gpus));
        (gpus, self.workers.unwrap_or(gpus.max(1) as usize))
    }
}

/// The stages that have something to do.
pub(super) fn stages(open: &OpenUnits, options: &ProposalOptions, on_gpus: bool) -> Vec<StagePlan> {
    let total: f64 = open.units.iter().map(|unit| open.seconds[unit]).sum();
    let together = match options.cut {
        CutBy::Tasks(tasks) => total / tasks.max(1) as f64,
        CutBy::Seconds(seconds) => seconds,
    };
    let pieces = pieces(&open.plan.graph, &open.units, &open.seconds, together);
    let stages = pieces.into_iter();
    stages
        .map(|(stage, pieces)| stage_plan(open, stage, &pieces, options, on_gpus))
        .collect()
}

fn stage_plan(
    open: &OpenUnits,
    stage: Stage,
    pieces: &[Piece],
    options: &ProposalOptions,
    on_gpus: bool,
) -> StagePlan {
    let (gpus, workers) = options.of_task(on_gpus);
    let seconds: Vec<f64> = pieces.iter().map(|piece| piece.seconds).collect();
    let total = seconds.iter().sum();
    let count = options
        .cut
        .tasks(pieces.len(), total, workers, options.most_tasks);
    let bins = cut(&seconds, count).into_iter();
    let mut tasks: Vec<TaskPlan> = bins
        .map(|bin| {
            let mut units: Vec<_> = bin
                .iter()
                .flat_map(|piece| pieces[*piece].units.iter().copied())
                .collect();
            units.sort_unstable();
            let longest = bin.iter().map(|piece| seconds[*piece]).fold(0.0, f64::max);
            let load: f64 = bin.iter().map(|piece| seconds[*piece]).sum();
            TaskPlan {
                seconds: (load / workers.max(1) as f64).max(longest),
                units: units
                    .into_iter()
                    .map(|unit| PlannedUnit {
                        key: open.plan.graph[unit].key.clone(),
                        name: open.plan.graph[unit].name.clone(),
                        seconds: open.seconds[&unit],
                    })
                    .collect(),
            }
        })
        .collect();
    // Slurm starts the tasks of an array in their order: the longest first.
    tasks.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let units = pieces.iter().flat_map(|piece| &piece.units);
    let mut worker_bytes = 0;
    let mut floor = Floor::default();
    for unit in units {
        worker_bytes = open.memory[unit].max(worker_bytes);
        let known = options.floors.get(&open.plan.graph[*unit].key);
        floor = floor.or(known.copied().unwrap_or_default());
    }
    let longest = tasks.iter().map(|task| task.seconds).fold(0.0, f64::max);
    StagePlan {
        stage,
        request: Request {
            cpus: workers,
            memory_mib: request::memory_mib(worker_bytes, workers, floor),
            minutes: request::minutes(longest, options.time_factor, floor),
            gpus,
        },
        tasks,
    }
}
