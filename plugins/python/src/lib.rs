//! Methods in Python: each script runs in a child process that speaks the protocol of
//! `harness/docs/script-protocol.md`.
//!
//! The child belongs to the worker's process group and inherits its stderr, so that a crash, a
//! hang and whatever it prints are the cell's, as with every other plugin.

mod call;
mod frame;
mod method;
mod process;
mod runtime;
mod session;

use std::sync::Arc;

use harness_sdk::{
    Result,
    script::{ScriptMethod, ScriptPlugin},
    wire::{MethodCard, Script, ScriptFacts, Setting},
};
use serde_json::Value;

use crate::{call::Hello, method::PythonMethod, session::Session};

/// A script of Python that was read.
pub struct Python {
    session: Arc<Session>,
    hello: Hello,
}

impl ScriptPlugin for Python {
    fn open(script: &Script, nominal: &Setting) -> Result<Self> {
        let session = Arc::new(Session::new(script.clone(), nominal.clone()));
        let hello = session.hello()?;
        Ok(Self { session, hello })
    }

    fn name(&self) -> &str {
        &self.hello.name
    }

    fn version(&self) -> &str {
        &self.hello.version
    }

    fn license(&self) -> &str {
        &self.hello.license
    }

    fn facts(&self) -> &ScriptFacts {
        &self.hello.facts
    }

    fn methods(&self) -> &[MethodCard] {
        &self.hello.methods
    }

    fn method(&self, id: &str, config: &Value) -> Result<Box<dyn ScriptMethod>> {
        let method = PythonMethod::open(Arc::clone(&self.session), id, config)?;
        Ok(Box::new(method))
    }
}

harness_sdk::export_script_plugin!(Python);
