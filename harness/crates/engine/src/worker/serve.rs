//! The worker's loop.

use std::{
    any::Any,
    io::{self, BufRead},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    channel::Channel, error::JobError, jobs, memory::WorkerMemory, state::WorkerState, usage::Meter,
};
use crate::job::{Job, Line, Outcome, UnitWork, Work};

/// Reads jobs from stdin and answers them until stdin ends.
pub fn serve() -> io::Result<()> {
    die_with_the_scheduler()?;
    WorkerMemory::of_environment().confine()?;
    let channel = Channel::take_stdout()?;
    let mut state = WorkerState::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let job: Job = serde_json::from_str(&line).map_err(io::Error::other)?;
        let meter = Meter::start();
        let result = catch_unwind(AssertUnwindSafe(|| jobs::run(&mut state, &job, &channel)));
        let outcome = match result {
            Ok(Ok(output)) => Outcome::Done {
                output: Box::new(output),
                usage: meter.read(),
            },
            Ok(Err(JobError::NotInjectable(reason))) => Outcome::NotInjectable { reason },
            // On a target, the module does not fit; a misspelled name fails on the source.
            Ok(Err(JobError::NotOffered(reason))) if !is_training(&job) => {
                Outcome::NotInjectable { reason }
            }
            Ok(Err(error)) if error.lacks_room() => Outcome::Unwritten {
                message: error.to_string(),
            },
            Ok(Err(JobError::Crashed(message))) => Outcome::Crashed { message },
            Ok(Err(error)) => {
                let message = without_backtrace(error.to_string());
                match state.take_ran_out_of_memory() {
                    true => Outcome::DeviceMemory { message },
                    false => Outcome::Failed { message },
                }
            }
            Err(payload) => Outcome::Failed {
                message: format!("the worker panicked: {}", text(payload.as_ref())),
            },
        };
        channel.send(&Line::Reply {
            id: job.id,
            outcome,
        })?;
    }
    Ok(())
}

/// candle writes a backtrace behind its message.
fn without_backtrace(mut message: String) -> String {
    if let Some(end) = message.find("\n   0: ") {
        message.truncate(end);
    }
    message
}

/// Whether a name that the backbone does not have is the method's fault.
fn is_training(job: &Job) -> bool {
    match &job.work {
        Work::Unit { work, .. } => matches!(**work, UnitWork::Train { .. }),
        Work::Check(_) | Work::Compare(_) => true,
        // What a target lacks is told apart by the trial itself.
        Work::Try(_) => true,
        Work::Inspect { .. } | Work::Declare { .. } | Work::Predict(_) => false,
    }
}

/// A scheduler that is killed cannot end its workers, so the kernel does.
#[cfg(target_os = "linux")]
pub(crate) fn die_with_the_scheduler() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Elsewhere a worker ends after its current job, when its stdin closes.
#[cfg(not(target_os = "linux"))]
pub(crate) fn die_with_the_scheduler() -> io::Result<()> {
    Ok(())
}

fn text(payload: &(dyn Any + Send)) -> &str {
    match payload.downcast_ref::<&str>() {
        Some(text) => text,
        None => payload
            .downcast_ref::<String>()
            .map_or("see the log", String::as_str),
    }
}
