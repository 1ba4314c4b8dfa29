//! The child process and the connection to it.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
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

/// A child that runs a script. Its stdin and stdout are one socket, whose reading end can stop
/// waiting: a process that the child forked may hold the other end open when the child is gone.
pub(crate) struct Process {
    child: Child,
    to: BufWriter<UnixStream>,
    from: BufReader<UnixStream>,
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
        let (ours, theirs) = UnixStream::pair().map_err(|error| failed(&error))?;
        let both = || -> io::Result<_> {
            ours.set_read_timeout(Some(LOOK))?;
            Ok((ours.try_clone()?, theirs.try_clone()?))
        };
        let (from, theirs_too) = both().map_err(|error| failed(&error))?;
        let child = Command::new(interpreter)
            .args(["-c", runtime::BOOTSTRAP])
            // One thread, as the towers use: a sum's order, and so its last bits, would depend on
            // their number.
            .env("OMP_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(theirs_too)))
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| failed(&error))?;
        let mut process = Self {
            child,
            to: BufWriter::with_capacity(1 << 16, ours),
            from: BufReader::with_capacity(1 << 16, from),
            interpreter: interpreter.clone(),
        };
        let sent = process.to.write_all(runtime::sources().as_bytes());
        match sent.and_then(|()| process.to.flush()) {
            Ok(()) => Ok(process),
            Err(_) => Err(process.unheard()),
        }
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, frame: &Frame) -> Result<()> {
        match frame.write(&mut self.to) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.unheard()),
        }
    }

    /// The error of a child that no longer listens: what it wrote first says more than that it
    /// ended.
    fn unheard(&mut self) -> Error {
        match self.receive() {
            Ok(_) => self.ended(None),
            Err(error) => error,
        }
    }

    /// Waits for the next frame. How long that may take is the scheduler's to say.
    pub(crate) fn receive(&mut self) -> Result<Frame> {
        let mut patient = Patient {
            from: &mut self.from,
            child: &mut self.child,
            gone: None,
        };
        match Frame::read(&mut patient) {
            Ok(Some(frame)) => Ok(frame),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.ended(Some(error.to_string())))
            }
            Ok(None) | Err(_) => Err(self.ended(None)),
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

/// Reads as long as the child lives.
struct Patient<'p> {
    from: &'p mut BufReader<UnixStream>,
    child: &'p mut Child,
    /// When it was first seen to have ended.
    gone: Option<Instant>,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match self.gone {
                    None if matches!(self.child.try_wait(), Ok(Some(_))) => {
                        self.gone = Some(Instant::now());
                    }
                    Some(since) if since.elapsed() > GRACE => return Ok(0),
                    _ => {}
                },
                // Another thread's child ended, say.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
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
