//! One worker process.

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::strays;
use super::tail::Tail;
use crate::job::{Job, Line, PluginRef};

/// Longest line that is read, in bytes: predictions for a million images.
const LONGEST_LINE: u64 = 64 << 20;
/// How long a worker may take to exit once its stdin is closed.
const GRACE: Duration = Duration::from_millis(500);
/// How long the thread that reads a living worker's stderr gets to catch up: what
/// was written before an answer is in the pipe, but maybe not yet read.
const SETTLE: Duration = Duration::from_millis(250);

/// How to start a worker.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub envs: Vec<(OsString, OsString)>,
}

impl WorkerCommand {
    /// This executable with the argument `worker`.
    ///
    /// # Errors
    /// The system does not say where this executable is.
    pub fn this_executable() -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            args: vec!["worker".into()],
            envs: Vec::new(),
        })
    }
}

/// What arrived from a worker.
pub(crate) enum Message {
    Line(Line),
    /// Text that is not a line of the protocol.
    Malformed(String),
    /// Nothing more will come.
    Closed,
}

/// How a worker ended.
pub(crate) struct WorkerEnd {
    pub(crate) text: String,
    /// Whether somebody else killed it, such as a system that is out of memory.
    pub(crate) was_killed: bool,
}

pub(crate) struct Worker {
    child: Child,
    group: Option<Pid>,
    /// `None` once the worker was told that nothing more comes.
    jobs: Option<Sender<String>>,
    log: Tail,
    /// In its environment and in that of everything it starts.
    mark: String,
    ended: bool,
    /// The plugin it has loaded.
    pub(crate) plugin: Option<PluginRef>,
    /// The backbone it used last.
    pub(crate) backbone: Option<PathBuf>,
}

impl Worker {
    /// Starts a worker with environment variables of its own; its messages arrive at `messages`
    /// under its `id`.
    pub(crate) fn spawn(
        command: &WorkerCommand,
        own: Vec<(OsString, OsString)>,
        id: u64,
        messages: Sender<(u64, Message)>,
    ) -> std::io::Result<Self> {
        let mark = mark(id);
        let mut child = Command::new(&command.program)
            .args(&command.args)
            // One thread a worker: a sum's order, and so its last bits, would
            // depend on the number of threads.
            .env("RAYON_NUM_THREADS", "1")
            // The SDK finds the author's line in the backtrace of a tensor error.
            .env("RUST_LIB_BACKTRACE", "1")
            .envs(command.envs.iter().map(|(name, value)| (name, value)))
            .envs(own)
            .env(strays::VARIABLE, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group: Ctrl-C is ours to answer, and whatever the worker
            // starts ends with it.
            .process_group(0)
            .spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let log = child.stderr.take().map(Tail::follow).unwrap_or_default();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || listen(stdout, id, &messages));
        }
        let jobs = child.stdin.take().map(|stdin| {
            let (sender, receiver) = channel();
            std::thread::spawn(move || hand_over(&receiver, stdin));
            sender
        });
        Ok(Self {
            child,
            group,
            jobs,
            log,
            mark,
            ended: false,
            plugin: None,
            backbone: None,
        })
    }

    /// Sends the worker a job. If it is gone, its closed stdout will say so.
    pub(crate) fn send(&mut self, job: &Job) -> serde_json::Result<()> {
        self.log.clear();
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        if let Some(jobs) = &self.jobs {
            // Fails only when the worker has closed its stdin.
            let _ = jobs.send(line);
        }
        Ok(())
    }

    /// What the worker wrote on stderr since its last job began.
    pub(crate) fn log(&self) -> String {
        self.log.text(if self.ended { GRACE } else { SETTLE })
    }

    /// Ends the worker's process group and says how the worker ended. A worker
    /// that is about to exit by itself gets `patience` to do so.
    pub(crate) fn end(&mut self, patience: Duration) -> WorkerEnd {
        self.jobs = None;
        let by_itself = self.await_end(patience);
        let status = self.kill();
        let signal = status.as_ref().ok().and_then(ExitStatus::signal);
        WorkerEnd {
            was_killed: by_itself && signal == Some(Signal::KILL.as_raw()),
            text: match status {
                Ok(status) => describe(status),
                Err(error) => format!("could not be waited for: {error}"),
            },
        }
    }

    /// Whether the process has ended, though something that it started may hold its stdout open.
    pub(crate) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.group
            .is_some_and(|group| matches!(waitid(WaitId::Pid(group), options), Ok(Some(_))))
    }

    /// Closes the worker's stdin and waits for it to exit.
    pub(crate) fn retire(mut self) {
        self.end(GRACE);
    }

    /// Waits until the worker has ended and says whether it has, without collecting its status: until
    /// then its process id, and so its group's, cannot belong to anyone else.
    fn await_end(&self, patience: Duration) -> bool {
        let Some(group) = self.group else {
            return false;
        };
        let start = Instant::now();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while start.elapsed() < patience {
            match waitid(WaitId::Pid(group), options) {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    fn kill(&mut self) -> io::Result<ExitStatus> {
        self.ended = true;
        if let Some(group) = self.group {
            // Fails only when nothing is left of the group.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = self.child.wait();
        strays::kill(&self.mark);
        status
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.ended {
            // Nobody is left who could be told.
            let _ = self.kill();
        }
    }
}

/// Another one for each worker of each process.
fn mark(id: u64) -> String {
    let random = RandomState::new().hash_one(id);
    format!("{}-{id}-{random:016x}", std::process::id())
}

fn listen(stdout: ChildStdout, id: u64, messages: &Sender<(u64, Message)>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut bytes = Vec::new();
        let read = stdout
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes);
        let message = match read {
            Ok(1..) => match serde_json::from_slice(&bytes) {
                Ok(line) => Message::Line(line),
                Err(_) => Message::Malformed(excerpt(&bytes)),
            },
            Ok(0) | Err(_) => Message::Closed,
        };
        let last = !matches!(message, Message::Line(_));
        // Sending fails once the pool has given the worker up.
        if messages.send((id, message)).is_err() || last {
            return;
        }
    }
}

fn hand_over(jobs: &Receiver<String>, mut stdin: ChildStdin) {
    for job in jobs {
        if stdin
            .write_all(job.as_bytes())
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    text.trim_end().chars().take(80).collect()
}

fn describe(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return format!("ended with status {}", status.code().unwrap_or_default());
    };
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => " (abort)",
        Some(Signal::SEGV) => " (segmentation fault)",
        Some(Signal::BUS) => " (bus error)",
        Some(Signal::ILL) => " (illegal instruction)",
        Some(Signal::FPE) => " (arithmetic error)",
        Some(Signal::KILL) => " (killed, possibly out of memory)",
        _ => "",
    };
    format!("was ended by signal {signal}{name}")
}
