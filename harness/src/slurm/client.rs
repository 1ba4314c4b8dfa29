//! Slurm's own commands.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use harness_report::ExitCode;

use super::Queue;
use crate::failure::Failure;

/// Fields of squeue and sacct that [`Queue::parse`] reads.
const SQUEUE: &str = "%i|%j|%T|%N";
const SACCT: &str = "JobID,JobName%80,State,NodeList";
/// Tasks of an array where the cluster does not say: Slurm's default is 1001, one too many.
const MOST_TASKS: usize = 1000;

/// The commands in PATH.
pub(crate) struct Client;

impl Client {
    /// # Errors
    /// sbatch is not in PATH.
    pub(crate) fn find() -> Result<Self, Failure> {
        output("sbatch", &["--version"]).map(|_| Self)
    }

    /// Most tasks of an array.
    pub(crate) fn most_tasks(&self) -> usize {
        let config = output("scontrol", &["show", "config"]).unwrap_or_default();
        let lines = config.lines();
        let mut found = lines.filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == "MaxArraySize").then(|| value.trim().parse::<usize>().ok())?
        });
        // Indices end one below.
        found
            .next()
            .map_or(MOST_TASKS, |size| size.saturating_sub(1).max(1))
    }

    /// The user's jobs that Slurm still remembers, and those of the accounting where it is kept.
    /// `since` is RFC 3339.
    ///
    /// # Errors
    /// squeue fails.
    pub(crate) fn queue(&self, since: &str) -> Result<Queue, Failure> {
        let user = rustix::process::getuid().as_raw().to_string();
        let now = output(
            "squeue",
            &[
                "--noheader",
                "--array",
                "--states=all",
                "--user",
                &user,
                "--format",
                SQUEUE,
            ],
        )?;
        let since = since.get(..10).unwrap_or("now-30days");
        // Without accounting there is nothing to ask.
        let accounts = output(
            "sacct",
            &[
                "--noheader",
                "--parsable2",
                "--allocations",
                "--user",
                &user,
                "--starttime",
                since,
                "--format",
                SACCT,
            ],
        )
        .unwrap_or_default();
        Ok(Queue::parse(&now).or(Queue::parse(&accounts)))
    }

    /// Submits a script, to start once other jobs have ended; returns the job's number.
    ///
    /// # Errors
    /// sbatch refuses it.
    pub(crate) fn submit(&self, script: &Path, after: &[String]) -> Result<String, Failure> {
        let mut arguments = vec!["--parsable".to_owned()];
        if !after.is_empty() {
            arguments.push(format!("--dependency=afterany:{}", after.join(":")));
        }
        arguments.push(script.display().to_string());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let printed = output("sbatch", &arguments)?;
        // With several clusters it is `job;cluster`.
        let job = printed.trim().split(';').next().unwrap_or_default();
        match !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(job.to_owned()),
            false => Err(Failure::new(
                ExitCode::SetUp,
                format!("sbatch: expected the number of a job, found {printed:?}"),
            )),
        }
    }

    /// Cancels jobs.
    ///
    /// # Errors
    /// scancel fails.
    pub(crate) fn cancel(&self, jobs: &[String]) -> Result<(), Failure> {
        if jobs.is_empty() {
            return Ok(());
        }
        let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
        output("scancel", &jobs).map(drop)
    }
}

/// What a command prints.
fn output(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let failed = |message: String| Failure::new(ExitCode::SetUp, message);
    let ended = Command::new(program).args(arguments).output();
    let ended = ended.map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed(format!(
            "{program} is not in PATH: this is no machine of a Slurm cluster"
        ))
        .hint(
            "run this on a login node; `harness submit --print` writes the scripts without Slurm",
        ),
        _ => failed(format!("cannot run {program}: {error}")),
    })?;
    match ended.status.success() {
        true => Ok(String::from_utf8_lossy(&ended.stdout).into_owned()),
        false => {
            let told = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
            Err(failed(format!("{program} {}: {told}", arguments.join(" "))))
        }
    }
}
