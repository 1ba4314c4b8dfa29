//! Calls of a script, and the requests to the host that it makes meanwhile.

use std::sync::{Mutex, PoisonError};

use harness_sdk::{
    Error, Host, Result,
    script::{AbiError, AbiTensor, ErrorKind, RawHost, Training},
    wire::{Script, ScriptFacts, Setting, Tower},
};
use serde_json::{Value, json};

use crate::{
    call::{Ask, Failure, FromChild, Hello, PROTOCOL, StepLine},
    frame::Frame,
    process::Process,
};

/// A script in a child process, which is started again after it ended.
pub(crate) struct Session {
    script: Script,
    nominal: Setting,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Number of processes that were started.
    starts: u64,
    hosts: u64,
    /// Of the first process.
    facts: Option<ScriptFacts>,
}

/// A host under the number that the child knows it by.
pub(crate) struct NumberedHost<'a> {
    pub(crate) host: &'a Host,
    pub(crate) number: u64,
}

/// What a call returns.
pub(crate) struct Returned {
    pub(crate) value: Value,
    pub(crate) tensors: Vec<AbiTensor>,
    /// Number of the process that returned it.
    pub(crate) process: u64,
}

impl Session {
    pub(crate) fn new(script: Script, nominal: Setting) -> Self {
        Self {
            script,
            nominal,
            state: Mutex::default(),
        }
    }

    /// Reads the script.
    pub(crate) fn hello(&self) -> Result<Hello> {
        let mut state = self.lock();
        let (process, hello) = self.start()?;
        state.process = Some(process);
        state.starts += 1;
        state.facts = Some(hello.facts.clone());
        Ok(hello)
    }

    /// A number for a host.
    pub(crate) fn next_host(&self) -> u64 {
        let mut state = self.lock();
        state.hosts += 1;
        state.hosts
    }

    /// Whether the process of a number still runs.
    pub(crate) fn is_process(&self, number: u64) -> bool {
        let state = self.lock();
        state.process.is_some() && state.starts == number
    }

    /// Calls the script, which may ask the host.
    ///
    /// # Errors
    /// Those of the script and of the host; of kind `Crashed` if the process ended.
    pub(crate) fn call(
        &self,
        call: Value,
        tensors: Vec<AbiTensor>,
        host: Option<&NumberedHost<'_>>,
        mut training: Option<&mut Training>,
    ) -> Result<Returned> {
        let mut state = self.lock();
        if state.process.is_none() {
            let (process, hello) = self.start()?;
            if state
                .facts
                .as_ref()
                .is_some_and(|facts| *facts != hello.facts)
            {
                return Err(Error::Config(format!(
                    "{}, or what it imports, has changed while it was in use",
                    self.script.path
                )));
            }
            state.process = Some(process);
            state.starts += 1;
        }
        let Some(process) = &mut state.process else {
            return Err(internal("no process".to_owned()));
        };
        let call = Frame::new(json!({ "call": call }), tensors);
        let result = exchange(process, &call, host, &mut training);
        let is_gone = matches!(&result, Err(Error::Host(e)) if e.kind() == ErrorKind::Crashed);
        if is_gone {
            state.process = None;
        }
        let (value, tensors) = result?;
        let process = state.starts;
        Ok(Returned {
            value,
            tensors,
            process,
        })
    }

    fn start(&self) -> Result<(Process, Hello)> {
        let mut process = Process::start(&self.script)?;
        let call = json!({"call": {"hello": {
            "protocol": PROTOCOL, "script": self.script.path, "nominal": self.nominal,
        }}});
        let call = Frame::new(call, vec![]);
        let (value, _) = exchange(&mut process, &call, None, &mut None)?;
        let hello: Hello = read(value)?;
        if hello.protocol != PROTOCOL {
            return Err(internal(format!(
                "the child speaks {:?}, expected {PROTOCOL:?}",
                hello.protocol
            )));
        }
        Ok((process, hello))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value of the child's.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|error| internal(format!("malformed reply of the script: {error}")))
}

fn internal(message: String) -> Error {
    AbiError::new(ErrorKind::Internal, message).into()
}

/// Sends a call and answers what is asked until it returns a value and tensors.
fn exchange(
    process: &mut Process,
    call: &Frame,
    host: Option<&NumberedHost<'_>>,
    training: &mut Option<&mut Training>,
) -> Result<(Value, Vec<AbiTensor>)> {
    process.send(call)?;
    loop {
        let Frame { head, tensors } = process.receive()?;
        let message: FromChild = match serde_json::from_value(Value::Object(head)) {
            Ok(message) => message,
            Err(error) => {
                // What follows cannot be told apart.
                let message = format!("malformed message of the script: {error}");
                return Err(AbiError::new(ErrorKind::Crashed, message).into());
            }
        };
        if let Some(host) = host {
            let raw = RawHost::of(host.host);
            message.released.iter().for_each(|tape| raw.release(*tape));
        }
        if let Some(failure) = message.error {
            return Err(failure.into());
        }
        let Some(ask) = message.ask else {
            return Ok((message.returned.unwrap_or_default(), tensors));
        };
        let answer = match host {
            Some(host) if host.number == message.host => answer(ask, &tensors, host.host, training),
            _ => Err(Error::Config(
                "a host of another call was asked; use the one that the function was given".into(),
            )),
        };
        let answer = answer.unwrap_or_else(|error| {
            let failure = Failure::from(&AbiError::from(error));
            Frame::new(json!({ "error": failure }), vec![])
        });
        process.send(&answer)?;
    }
}

fn answer(
    ask: Ask,
    tensors: &[AbiTensor],
    host: &Host,
    training: &mut Option<&mut Training>,
) -> Result<Frame> {
    let raw = RawHost::of(host);
    let no_training = || Error::Config("steps are there only in a training".into());
    let reply = match ask {
        Ask::EncodeText(request) => raw.encode(Tower::Text, &request.to_string(), tensors)?,
        Ask::EncodeImage(request) => raw.encode(Tower::Image, &request.to_string(), tensors)?,
        Ask::Service(request) => raw.service(&request.to_string())?,
        Ask::Vjp { tape } => {
            let [cotangent] = tensors else {
                let found = tensors.len();
                return Err(Error::Config(format!(
                    "vjp: expected 1 tensor, found {found}"
                )));
            };
            return Ok(Frame::new(
                json!({"answer": null}),
                raw.vjp(tape, cotangent)?,
            ));
        }
        Ask::Epoch {} => {
            let training = training.as_mut().ok_or_else(no_training)?;
            let steps = training.next_epoch();
            let steps = steps.map(|steps| steps.into_iter().map(StepLine::from));
            let steps: Option<Vec<StepLine>> = steps.map(Iterator::collect);
            return Ok(Frame::new(json!({ "answer": steps }), vec![]));
        }
        Ask::Stepped { loss } => {
            let training = training.as_mut().ok_or_else(no_training)?;
            training.stepped(host, loss)?;
            return Ok(Frame::new(json!({"answer": null}), vec![]));
        }
    };
    let json = match reply.json.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text)?,
    };
    Ok(Frame::new(
        json!({ "answer": json }),
        reply.tensors.into_vec(),
    ))
}
