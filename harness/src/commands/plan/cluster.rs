//! What a suite would take on a cluster.

use std::fmt::Write;
use std::time::Duration;

use harness_engine::distribute::Outline;
use indicatif::HumanDuration;
use schemars::JsonSchema;
use serde::Serialize;

/// What the suite takes in tasks of a cluster.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ClusterCost {
    /// CPUs or GPUs, one worker each.
    processors: usize,
    /// Estimated, without waiting in the queue.
    wall_seconds: f64,
    /// What the store grows by.
    disk_bytes: u64,
    stages: Vec<ClusterStage>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct ClusterStage {
    /// `features`, `trainings` or `injections`.
    stage: String,
    units: usize,
    tasks: usize,
    seconds: f64,
    wall_seconds: f64,
    memory_mib: u64,
}

impl ClusterCost {
    pub(super) fn of(outline: &Outline, processors: usize) -> Self {
        let stages = outline.stages.iter().map(|stage| ClusterStage {
            stage: stage.stage.name().to_owned(),
            units: stage.units,
            tasks: stage.tasks,
            seconds: stage.seconds,
            wall_seconds: stage.wall_seconds,
            memory_mib: stage.request.memory_mib,
        });
        Self {
            processors,
            wall_seconds: outline.wall_seconds(),
            disk_bytes: outline.disk_bytes,
            stages: stages.collect(),
        }
    }
}

/// The same for people.
pub(super) fn render(outline: &Outline, processors: usize) -> String {
    let time = |seconds: f64| {
        HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)).to_string()
    };
    let mut text = format!(
        "\nOn {processors} CPUs or GPUs as fast as a core of this machine: {}, {} tasks, {:.1} GiB \
         of results\n",
        time(outline.wall_seconds()),
        outline.tasks(),
        outline.disk_bytes as f64 / (1u64 << 30) as f64,
    );
    for stage in &outline.stages {
        let _ = writeln!(
            text,
            "  {:<10} {} units in {} tasks: {} ({} of work, {} MiB for each task)",
            stage.stage.name(),
            stage.units,
            stage.tasks,
            time(stage.wall_seconds),
            time(stage.seconds),
            stage.request.memory_mib,
        );
    }
    text
}
