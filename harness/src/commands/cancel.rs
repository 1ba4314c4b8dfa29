//! `harness cancel`.

use std::collections::BTreeSet;

use harness_engine::distribute::Submission;
use harness_report::ExitCode;
use harness_store::Store;

use crate::cli::CancelArguments;
use crate::failure::Failure;
use crate::output;
use crate::slurm::Client;
use crate::suite_path::find_suite;

/// Cancels the jobs of a suite's plans, and no others.
pub(crate) fn cancel(arguments: &CancelArguments) -> Result<ExitCode, Failure> {
    let suite = find_suite(&arguments.suite)?;
    let suite = fs_err::canonicalize(&suite).unwrap_or(suite);
    let store = Store::open(arguments.store.clone())
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    let plans = Submission::of_suite(store.root(), &suite);
    let Some(oldest) = plans.first() else {
        output::print("nothing to cancel: this suite was not submitted from this store\n")?;
        return Ok(ExitCode::Ok);
    };
    let client = Client::find()?;
    let queue = client.queue(&oldest.created)?;
    let jobs: BTreeSet<String> = plans
        .iter()
        .flat_map(|plan| queue.of_plan(&plan.id))
        .filter(|task| task.state.is_live())
        .map(|task| task.array().to_owned())
        .collect();
    let jobs: Vec<String> = jobs.into_iter().collect();
    client.cancel(&jobs)?;
    output::print(&match jobs.is_empty() {
        true => "nothing to cancel: no job of this suite is waiting or running\n".to_owned(),
        false => format!("cancelled jobs {}\n", jobs.join(", ")),
    })?;
    Ok(ExitCode::Ok)
}
