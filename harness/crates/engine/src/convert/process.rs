//! Starting that process, waiting for it, and putting what it wrote in place.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use harness_checkpoint::{Converted, Options};
use rustix::process::Signal;

use super::error::ConversionError;
use super::job::{Answer, Job, Limits, Task};
use crate::schedule::WorkerCommand;
use harness_store::sha256_file;

/// Bytes of an answer that are read: the names of a million tensors.
const LONGEST_ANSWER: u64 = 128 << 20;
/// Bytes of what the process says when it fails.
const LONGEST_LOG: u64 = 64 << 10;

/// What a conversion wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub converted: Converted,
    /// SHA-256 of the checkpoint.
    pub sha256: String,
}

/// Converts a checkpoint in a process that `command` starts and that ends with
/// [`serve`](super::serve). The output appears only when it is whole.
///
/// # Errors
/// The checkpoint is not one, holds what cannot be converted or costs more than its
/// limits; the output cannot be written.
pub fn convert(task: &Task, command: &WorkerCommand) -> Result<Written, ConversionError> {
    let unread = |reason: &dyn std::fmt::Display| {
        ConversionError::Input(format!("{}: {reason}", task.input.display()))
    };
    // A pipe or a device has no end that could be waited for.
    let found = std::fs::metadata(&task.input).map_err(|error| unread(&error))?;
    if !found.is_file() {
        return Err(unread(&"not a file"));
    }
    let sha256 = sha256_file(&task.input).map_err(|error| unread(&error))?;
    let fail = |error: std::io::Error| ConversionError::Output {
        path: task.output.clone(),
        reason: error.to_string(),
    };
    let folder = task.output.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    // Beside the output, so that moving it there is one step.
    let drafts = tempfile::Builder::new()
        .prefix(".convert-")
        .tempdir_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    let draft = drafts.path().join("draft.safetensors");
    let job = Job {
        input: task.input.clone(),
        draft: draft.clone(),
        options: Options {
            key: task.key.clone(),
            leave_out: task.leave_out.clone(),
            widen: task.widen,
            metadata: BTreeMap::from([("converted_from_sha256".to_owned(), sha256.clone())]),
        },
        module: task.module.clone(),
        limits: task.limits,
    };
    let converted = ask(&job, command)?.map_err(|error| match error {
        ConversionError::Output { reason, .. } => ConversionError::Output {
            path: task.output.clone(),
            reason,
        },
        other => other,
    })?;
    fs_err::rename(&draft, &task.output).map_err(fail)?;
    Ok(Written { converted, sha256 })
}

fn ask(job: &Job, command: &WorkerCommand) -> Result<Answer, ConversionError> {
    let start = |error: &dyn std::fmt::Display| ConversionError::Start(error.to_string());
    let text = serde_json::to_vec(job).map_err(|error| start(&error))?;
    let mut child = std::process::Command::new(&command.program)
        .args(&command.args)
        .envs(command.envs.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| start(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Fails only where the process has ended, which is told below.
        let _ = stdin.write_all(&text);
    }
    let answer = read_within(&mut child, Duration::from_secs(job.limits.time));
    let ended = |reason: String| ConversionError::Ended {
        path: job.input.clone(),
        reason,
    };
    let Some(answer) = answer else {
        // Fails only where it has ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        let seconds = job.limits.time;
        return Err(ended(format!(
            "it took more than {seconds} s; allow more with --timeout"
        )));
    };
    let mut log = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // What cannot be read is not shown.
        let _ = stderr.take(LONGEST_LOG).read_to_end(&mut log);
    }
    let status = child.wait().map_err(|error| start(&error))?;
    let log = String::from_utf8_lossy(&log);
    match serde_json::from_slice(&answer) {
        Ok(answer) if status.success() => Ok(answer),
        _ => Err(ended(cause(status, &log, job.limits))),
    }
}

/// All that the process says; `None` where it has more to say after `patience`.
fn read_within(child: &mut Child, patience: Duration) -> Option<Vec<u8>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        // An answer that breaks off is no answer.
        let _ = stdout.take(LONGEST_ANSWER).read_to_end(&mut answer);
        // Nobody listens once the time is over.
        let _ = sender.send(answer);
    });
    receiver.recv_timeout(patience).ok()
}

/// Why a process ended without an answer.
fn cause(status: ExitStatus, log: &str, limits: Limits) -> String {
    let signal = status.signal();
    let is = |wanted: Signal| signal == Some(wanted.as_raw());
    let last = log.lines().map(str::trim).rfind(|line| !line.is_empty());
    if is(Signal::XCPU) || is(Signal::KILL) {
        let seconds = limits.cpu;
        return format!("it took more than {seconds} s of processor time; allow more with --cpu");
    }
    if log.contains("memory allocation of") || log.contains("out of memory") {
        let mebibytes = limits.memory;
        return format!("it needs more than {mebibytes} MiB of memory; allow more with --memory");
    }
    match last {
        Some(line) => format!("{status}; the last it said: {line}"),
        None => status.to_string(),
    }
}
