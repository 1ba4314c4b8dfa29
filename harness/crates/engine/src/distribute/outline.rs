//! What a suite would take on a cluster, without submitting it.

use std::collections::{HashMap, HashSet};

use super::propose::stages;
use super::units::open_units;
use super::{CutBy, ProposalOptions, Request, Stage, TIME_FACTOR};
use crate::run::{RunError, SetUp, Settings};
use crate::schedule::Observer;

/// Tasks of a stage and their time.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlineStage {
    pub stage: Stage,
    pub units: usize,
    pub tasks: usize,
    /// CPU or GPU seconds of all units.
    pub seconds: f64,
    /// Estimated wall seconds on the nodes that were asked about, without waiting in the queue.
    pub wall_seconds: f64,
    pub request: Request,
}

/// What a suite takes on a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    pub stages: Vec<OutlineStage>,
    /// What the store grows by, in bytes.
    pub disk_bytes: u64,
}

impl Outline {
    /// Estimated wall seconds of all stages, one after the other.
    pub fn wall_seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.wall_seconds).sum()
    }

    /// Tasks of all stages.
    pub fn tasks(&self) -> usize {
        self.stages.iter().map(|stage| stage.tasks).sum()
    }
}

/// Cuts what is not stored for `processors` CPUs or GPUs, one worker each. Cells whose inputs
/// are not on disk count as if they were.
///
/// # Errors
/// As for [`crate::run::run`].
pub fn outline(
    settings: &Settings<'_>,
    processors: usize,
    observer: &mut dyn Observer,
) -> Result<Outline, RunError> {
    let setup = SetUp::new(settings, observer)?;
    let open = open_units(settings, &setup, observer)?;
    let options = ProposalOptions {
        cut: CutBy::Tasks(processors),
        workers: Some(1),
        most_tasks: processors,
        time_factor: TIME_FACTOR,
        gpus: None,
        live: HashSet::new(),
        floors: HashMap::new(),
    };
    let stages = stages(&open, &options, setup.placement.is_some())
        .into_iter()
        .map(|plan| {
            let units = plan.tasks.iter().flat_map(|task| &task.units);
            OutlineStage {
                stage: plan.stage,
                units: units.clone().count(),
                tasks: plan.tasks.len(),
                seconds: units.map(|unit| unit.seconds).sum(),
                wall_seconds: plan
                    .tasks
                    .iter()
                    .map(|task| task.seconds)
                    .fold(0.0, f64::max),
                request: plan.request,
            }
        });
    Ok(Outline {
        stages: stages.collect(),
        disk_bytes: open.disk,
    })
}
