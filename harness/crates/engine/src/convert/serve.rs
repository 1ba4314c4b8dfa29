//! The converting process.

use std::io::{self, Write};
use std::path::PathBuf;

use harness_checkpoint::{ConvertError, convert, convert_module, inspect};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::error::ConversionError;
use super::job::{Answer, Job, Limits, Reply, Task};
use crate::worker::die_with_the_scheduler;

/// Reads one job from stdin, does it within its limits, and replies on stdout.
///
/// # Errors
/// There is no job on stdin, the limits cannot be set, or stdout is closed.
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
    // A process that is killed leaves no core dump.
    setrlimit(Resource::Core, hard(0))?;
    setrlimit(Resource::Cpu, hard(limits.cpu))?;
    setrlimit(Resource::As, hard(limits.memory.saturating_mul(1 << 20)))?;
    Ok(())
}

fn answer(job: &Job) -> Answer {
    let (reply, output) = match &job.task {
        Task::Convert { draft, module } => {
            let converted = match module {
                Some(record) => convert_module(&job.input, draft, &job.options, record),
                None => convert(&job.input, draft, &job.options),
            };
            (converted.map(Reply::Converted), Some(draft.clone()))
        }
        Task::Inspect => {
            let inspected = inspect(&job.input, &job.options);
            (inspected.map(Box::new).map(Reply::Inspected), None)
        }
    };
    reply.map_err(|error| failure(error, output))
}

fn failure(error: ConvertError, output: Option<PathBuf>) -> ConversionError {
    match (error, output) {
        (ConvertError::Io(error), Some(path)) => ConversionError::Output {
            path,
            reason: error.to_string(),
        },
        (other, _) => ConversionError::Input(other.to_string()),
    }
}
