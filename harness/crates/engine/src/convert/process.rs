//! Starts the converting process, waits for it, and moves its output into place.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use harness_checkpoint::{Converted, Inspected, Options};
use rustix::process::Signal;

use super::error::ConversionError;
use super::job::{Answer, Conversion, Job, Limits, Reply, Task};
use crate::schedule::WorkerCommand;
use harness_store::{collect_drafts, draft_folder, sha256_file};

/// Bytes of an answer that are read: the names of a million tensors.
const LONGEST_ANSWER: u64 = 128 << 20;
/// Bytes of its standard error that are read.
const LONGEST_LOG: u64 = 64 << 10;

/// Result of a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub converted: Converted,
    /// SHA-256 of the checkpoint.
    pub sha256: String,
}

/// Converts a checkpoint in a process that `command` starts and that calls
/// [`serve`](super::serve). The output appears only when it is complete.
///
/// # Errors
/// The input is not a checkpoint, contains what cannot be converted or exceeds the limits;
/// the output cannot be written.
pub fn convert(
    conversion: &Conversion,
    command: &WorkerCommand,
) -> Result<Written, ConversionError> {
    let unread = |reason: &dyn std::fmt::Display| unread(&conversion.input, reason);
    require_file(&conversion.input)?;
    let sha256 = sha256_file(&conversion.input).map_err(|error| unread(&error))?;
    let fail = |error: std::io::Error| ConversionError::Output {
        path: conversion.output.clone(),
        reason: error.to_string(),
    };
    collect_drafts(&conversion.output);
    // Beside the output, so that moving it into place is atomic.
    let drafts = draft_folder(&conversion.output).map_err(fail)?;
    let draft = drafts.path().join("draft.safetensors");
    let job = Job {
        input: conversion.input.clone(),
        options: Options {
            metadata: BTreeMap::from([("converted_from_sha256".to_owned(), sha256.clone())]),
            ..conversion.options.clone()
        },
        task: Task::Convert {
            draft: draft.clone(),
            module: conversion.module.clone().map(Box::new),
        },
        limits: conversion.limits,
    };
    let reply = ask(&job, command)?.map_err(|error| match error {
        ConversionError::Output { reason, .. } => ConversionError::Output {
            path: conversion.output.clone(),
            reason,
        },
        other => other,
    })?;
    let Reply::Converted(converted) = reply else {
        return Err(unexpected(&job));
    };
    fs_err::rename(&draft, &conversion.output).map_err(fail)?;
    Ok(Written { converted, sha256 })
}

/// Says what a file is, in such a process, without reading its tensors.
///
/// # Errors
/// The file is no checkpoint, or exceeds the limits.
pub fn inspect(
    input: &Path,
    options: &Options,
    limits: Limits,
    command: &WorkerCommand,
) -> Result<Inspected, ConversionError> {
    require_file(input)?;
    let job = Job {
        input: input.to_owned(),
        options: options.clone(),
        task: Task::Inspect,
        limits,
    };
    match ask(&job, command)?? {
        Reply::Inspected(inspected) => Ok(*inspected),
        Reply::Converted(_) => Err(unexpected(&job)),
    }
}

fn unread(input: &Path, reason: &dyn std::fmt::Display) -> ConversionError {
    ConversionError::Input(format!("{}: {reason}", input.display()))
}

/// A pipe or a device may never end.
fn require_file(input: &Path) -> Result<(), ConversionError> {
    let found = std::fs::metadata(input).map_err(|error| unread(input, &error))?;
    match found.is_file() {
        true => Ok(()),
        false => Err(unread(input, &"not a file")),
    }
}

fn unexpected(job: &Job) -> ConversionError {
    ConversionError::Ended {
        path: job.input.clone(),
        reason: "it sent an unexpected reply".to_owned(),
    }
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
        // Fails only if the process has ended, which is reported below.
        let _ = stdin.write_all(&text);
    }
    let answer = read_within(&mut child, Duration::from_secs(job.limits.time));
    let ended = |reason: String| ConversionError::Ended {
        path: job.input.clone(),
        reason,
    };
    let Some(answer) = answer else {
        // Fails only if it has already ended.
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

/// All of its standard output; `None` if it is not complete after `timeout`.
fn read_within(child: &mut Child, timeout: Duration) -> Option<Vec<u8>> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        // An incomplete answer does not parse.
        let _ = stdout.take(LONGEST_ANSWER).read_to_end(&mut answer);
        // The receiver is gone after the timeout.
        let _ = sender.send(answer);
    });
    receiver.recv_timeout(timeout).ok()
}

/// Why the process ended without an answer.
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
        Some(line) => format!("{status}; its last message: {line}"),
        None => status.to_string(),
    }
}
