//! The process that converts.

use std::io::{self, Write};

use harness_checkpoint::{ConvertError, convert};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::error::ConversionError;
use super::job::{Answer, Job, Limits};
use super::prompt_learner;
use crate::worker::die_with_the_scheduler;

/// Does the one job that stdin holds, within its limits, and answers on stdout.
///
/// # Errors
/// Stdin holds no job, the limits cannot be set, or nobody reads the answer.
pub fn serve() -> io::Result<()> {
    die_with_the_scheduler()?;
    let job: Job = serde_json::from_reader(io::stdin().lock())?;
    confine(job.limits)?;
    let mut answer = serde_json::to_vec(&answer(&job))?;
    answer.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&answer)?;
    out.flush()
}

/// Limits that this process cannot raise again.
fn confine(limits: Limits) -> io::Result<()> {
    let hard = |most: u64| Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    // A process that is ended leaves no image of its memory.
    setrlimit(Resource::Core, hard(0))?;
    setrlimit(Resource::Cpu, hard(limits.cpu))?;
    setrlimit(Resource::As, hard(limits.memory.saturating_mul(1 << 20)))?;
    Ok(())
}

fn answer(job: &Job) -> Answer {
    let converted = convert(&job.input, &job.draft, &job.options);
    let converted = converted.map_err(|error| match error {
        ConvertError::Io(error) => ConversionError::Output {
            path: job.draft.clone(),
            reason: error.to_string(),
        },
        other => ConversionError::Input(other.to_string()),
    })?;
    match &job.module {
        Some(trained) => prompt_learner::make_module(job, trained, converted),
        None => Ok(converted),
    }
}
