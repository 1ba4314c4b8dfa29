//! Arguments of the commands that run a suite in tasks.

use std::path::PathBuf;

use clap::Args;
use harness_engine::distribute::{Shard, Stage};
use harness_report::ExitCode;

use super::SuiteArguments;
use super::values::{export_file, hours, time_factor};
use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    pub(crate) suite: SuiteArguments,
    /// Write the report to a file once all tasks have ended, as `harness run -o` does; repeatable
    #[arg(short, long, value_name = "FILE", value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    /// Number of tasks of each stage
    #[arg(long, value_name = "N", conflicts_with = "task_hours",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tasks: Option<u32>,
    /// Hours that a task should take [default: 2]
    #[arg(long, value_name = "H", value_parser = hours)]
    pub(crate) task_hours: Option<f64>,
    /// GPUs of each task [default: none]
    #[arg(long, value_name = "N")]
    pub(crate) gpus: Option<u32>,
    /// Time limit of the jobs, in estimates [default: 2]
    #[arg(long, value_name = "FACTOR", value_parser = time_factor)]
    pub(crate) time_factor: Option<f64>,
    /// More options for sbatch: "--partition=long --account=vision"; repeatable
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub(crate) sbatch: Vec<String>,
    /// Write the scripts and the plan of tasks without submitting them
    #[arg(long, conflicts_with = "wait")]
    pub(crate) print: bool,
    /// Wait until all jobs have ended; Ctrl-C leaves them running
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) suite: SuiteArguments,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct CancelArguments {
    /// Suite (YAML), or the name of a built-in one
    pub(crate) suite: PathBuf,
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
}

/// Which part of a plan to do, for a task of a cluster.
#[derive(Args)]
pub(crate) struct TaskArguments {
    /// Do one stage of a plan: features, trainings or injections; or assemble its report
    #[arg(long, value_name = "STAGE", value_parser = stage, requires = "plan_id")]
    pub(crate) stage: Option<StageOrReport>,
    /// Do task I of the N that the plan cuts the stage into
    #[arg(long, value_name = "I/N", requires = "stage")]
    pub(crate) shard: Option<Shard>,
    /// The plan, as `harness submit` names it
    #[arg(long, value_name = "HASH", requires = "stage")]
    pub(crate) plan_id: Option<String>,
}

/// A stage of a plan, or what follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StageOrReport {
    Stage(Stage),
    Report,
}

fn stage(text: &str) -> Result<StageOrReport, harness_engine::distribute::StageError> {
    match text {
        "report" => Ok(StageOrReport::Report),
        text => text.parse().map(StageOrReport::Stage),
    }
}

/// A part of a plan.
pub(crate) struct AskedPart<'a> {
    pub(crate) plan: &'a str,
    pub(crate) part: Part,
}

#[derive(Clone, Copy)]
pub(crate) enum Part {
    Stage(Stage, Shard),
    Report,
}

impl TaskArguments {
    /// The part that is asked for, if it is not the whole.
    pub(crate) fn asked(&self) -> Result<Option<AskedPart<'_>>, Failure> {
        let (Some(stage), Some(plan)) = (self.stage, &self.plan_id) else {
            return Ok(None);
        };
        let part = match (stage, self.shard) {
            (StageOrReport::Report, None) => Part::Report,
            (StageOrReport::Stage(stage), Some(shard)) => Part::Stage(stage, shard),
            (StageOrReport::Report, Some(_)) => {
                return Err(Failure::new(ExitCode::Usage, "the report has no --shard"));
            }
            (StageOrReport::Stage(_), None) => {
                return Err(Failure::new(ExitCode::Usage, "a stage needs --shard I/N"));
            }
        };
        Ok(Some(AskedPart { plan, part }))
    }
}
