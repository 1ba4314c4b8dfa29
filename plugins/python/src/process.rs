//! The child process and the pipes to it.

use std::{
    io::{self, BufReader, BufWriter, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use harness_sdk::{
    Error, Result,
    script::{AbiError, ErrorKind},
    wire::Script,
};

use crate::{frame::Frame, runtime};

/// Time between two looks at whether the child still lives.
const LOOK: Duration = Duration::from_millis(100);
/// Time in which a child that has ended is waited for, and in which what it wrote arrives.
const GRACE: Duration = Duration::from_millis(500);

/// What the child writes, as the thread that reads it passes it on.
type Incoming = io::Result<Option<Frame>>;

/// A child that runs a script.
pub(crate) struct Process {
    child: Child,
    to: BufWriter<ChildStdin>,
    from: Receiver<Incoming>,
    interpreter: String,
}

impl Process {
    /// Starts the interpreter with the runtime.
    pub(crate) fn start(script: &Script) -> Result<Self> {
        let interpreter = &script.interpreter;
        let failed = |error: &dyn std::fmt::Display| {
            Error::Config(format!(
                "cannot run {interpreter}, the interpreter of {}: {error}; --python names another",
                script.path
            ))
        };
        let mut child = Command::new(interpreter)
            .args(["-c", runtime::BOOTSTRAP])
            // One thread, as the towers use: a sum's order, and so its last bits, would depend on
            // their number.
            .env("OMP_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| failed(&error))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&"no pipe to it"));
        };
        let (sender, receiver) = sync_channel(1);
        thread::spawn(move || {
            let mut from = BufReader::with_capacity(1 << 16, from);
            loop {
                let incoming = Frame::read(&mut from);
                let is_last = !matches!(incoming, Ok(Some(_)));
                if sender.send(incoming).is_err() || is_last {
                    return;
                }
            }
        });
        let mut process = Self {
            child,
            to: BufWriter::with_capacity(1 << 16, to),
            from: receiver,
            interpreter: interpreter.clone(),
        };
        let sent = process.to.write_all(runtime::sources().as_bytes());
        match sent.and_then(|()| process.to.flush()) {
            Ok(()) => Ok(process),
            Err(_) => Err(process.ended(None)),
        }
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, frame: &Frame) -> Result<()> {
        match frame.write(&mut self.to) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended(None)),
        }
    }

    /// Waits for the next frame. How long that may take is the scheduler's to say.
    pub(crate) fn receive(&mut self) -> Result<Frame> {
        let mut gone = None;
        loop {
            match self.from.recv_timeout(LOOK) {
                Ok(Ok(Some(frame))) => return Ok(frame),
                Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => return Err(self.ended(None)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.ended(Some(error.to_string())));
                }
                Ok(Err(_)) => return Err(self.ended(None)),
                // A process that it forked may hold the pipe open.
                Err(RecvTimeoutError::Timeout) if gone.is_none() => {
                    if matches!(self.child.try_wait(), Ok(Some(_))) {
                        gone = Some(Instant::now());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if gone.is_some_and(|since| since.elapsed() > GRACE) {
                        return Err(self.ended(None));
                    }
                }
            }
        }
    }

    /// The error of a child that ended, or that wrote what is no frame.
    fn ended(&mut self, malformed: Option<String>) -> Error {
        let interpreter = self.interpreter.clone();
        let message = match malformed {
            Some(what) => format!(
                "{interpreter} broke the protocol: it wrote {what}; the pipe to the harness is not \
                 the script's to write to"
            ),
            None => match self.wait() {
                Some(status) => format!("{interpreter} {} before it answered", describe(status)),
                None => format!("{interpreter} closed its pipe to the harness"),
            },
        };
        self.kill();
        AbiError::new(ErrorKind::Crashed, message).into()
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < GRACE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    fn kill(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn describe(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return format!("ended with status {}", status.code().unwrap_or_default());
    };
    let name = match signal {
        4 => " (illegal instruction)",
        6 => " (abort)",
        7 => " (bus error)",
        8 => " (arithmetic error)",
        9 => " (killed, possibly out of memory)",
        11 => " (segmentation fault)",
        _ => "",
    };
    format!("was ended by signal {signal}{name}")
}
