//! `harness run --stage`: one task of a plan, or the report of all.

use harness_engine::distribute::{self, Shard, Stage, Submission};
use harness_engine::run::{Finished, Settings, cpu};
use harness_report::{ExitCode, TaskPlace};
use harness_store::Store;

use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;
use crate::slurm::{Client, causes};

/// Does the units of a task, and nothing else.
pub(super) fn run_task(
    settings: &Settings<'_>,
    plan: &str,
    (stage, shard): (Stage, Shard),
) -> Result<ExitCode, Failure> {
    let mut reporter = Reporter::new();
    let result = distribute::run_task(settings, plan, (stage, shard), place(), &mut reporter);
    reporter.finish();
    let summary = result?;
    output::print(&format!(
        "Summary: {stage} {}/{}: {} of {} units stored, {} failed, {} outstanding\n",
        shard.number, shard.of, summary.stored, summary.units, summary.failed, summary.outstanding
    ))?;
    Ok(summary.exit_code())
}

/// The report of what the tasks of a plan have stored.
pub(super) fn assemble<'s>(settings: &Settings<'s>, plan: &str) -> Result<Finished<'s>, Failure> {
    let store = Store::open(settings.store.clone())
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    let root = store.root();
    let this =
        Submission::read(root, plan).map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    let plans = Submission::of_suite(root, &this.suite);
    let oldest = plans.first().map_or(&this.created, |plan| &plan.created);
    // By hand, or in another system, there is no Slurm to ask.
    let queue = match std::env::var_os("SLURM_JOB_ID") {
        Some(_) => Client::find().and_then(|client| client.queue(oldest)),
        None => Ok(Default::default()),
    };
    let queue = queue.unwrap_or_else(|failure| {
        failure.report();
        Default::default()
    });
    let ended = causes(root, &plans, &queue);
    let mut reporter = Reporter::new();
    // The report is often written where there is no GPU.
    let mut settings = settings.clone();
    settings.device.elsewhere = true;
    let result = distribute::collect(&settings, plan, &ended, &mut reporter);
    reporter.finish();
    let finished = result?;
    output::warn_of(&finished.report);
    Ok(finished)
}

/// This machine, and the job that it runs.
fn place() -> TaskPlace {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let array = variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID"));
    let job = array.map(|(job, task)| format!("{job}_{task}"));
    let uname = rustix::system::uname();
    TaskPlace {
        job: job.or_else(|| variable("SLURM_JOB_ID")),
        restarts: variable("SLURM_RESTART_COUNT")
            .and_then(|count| count.parse().ok())
            .unwrap_or(0),
        node: variable("SLURMD_NODENAME")
            .unwrap_or_else(|| uname.nodename().to_string_lossy().into_owned()),
        // Known once the task has found its device.
        device: String::new(),
        cpu: cpu().model,
    }
}
