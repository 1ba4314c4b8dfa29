//! What crosses the pipes, as types; `harness/docs/script-protocol.md` describes it.

use harness_sdk::{
    Error,
    script::{AbiError, ErrorKind, Step},
    wire::{MethodCard, ScriptFacts},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the protocol.
pub(crate) const PROTOCOL: &str = "harness-script/1";

/// What a script says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Hello {
    pub(crate) protocol: String,
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) license: String,
    pub(crate) facts: ScriptFacts,
    pub(crate) methods: Vec<MethodCard>,
}

/// What the child sends: a request to the host, or the end of the call.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FromChild {
    #[serde(default)]
    pub(crate) ask: Option<Ask>,
    /// The host that is asked.
    #[serde(default)]
    pub(crate) host: u64,
    #[serde(default, rename = "return")]
    pub(crate) returned: Option<Value>,
    #[serde(default)]
    pub(crate) error: Option<Failure>,
    /// Tapes that are needed no more.
    #[serde(default)]
    pub(crate) released: Vec<u64>,
}

/// A request to the host.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Ask {
    EncodeText(Value),
    EncodeImage(Value),
    Vjp {
        tape: u64,
    },
    Service(Value),
    /// The steps of the next epoch.
    Epoch {},
    Stepped {
        loss: f64,
    },
}

/// A step as the child is told of it.
#[derive(Serialize)]
pub(crate) struct StepLine {
    number: usize,
    rows: Vec<u32>,
    view: u32,
    lr: f64,
    seed: u64,
}

impl From<Step> for StepLine {
    fn from(step: Step) -> Self {
        Self {
            number: step.number,
            rows: step.rows,
            view: step.view,
            lr: step.lr,
            seed: step.seed,
        }
    }
}

/// An error of either side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Config,
    NotInjectable,
    Request,
    NotOffered,
    Numeric,
    Cancelled,
    #[serde(other)]
    Internal,
}

impl From<&AbiError> for Failure {
    fn from(error: &AbiError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Config => Kind::Config,
            ErrorKind::NotInjectable => Kind::NotInjectable,
            ErrorKind::Request => Kind::Request,
            ErrorKind::NotOffered => Kind::NotOffered,
            ErrorKind::Numeric => Kind::Numeric,
            ErrorKind::Cancelled => Kind::Cancelled,
            _ => Kind::Internal,
        };
        Self {
            kind,
            message: error.message().to_owned(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            Kind::Config => ErrorKind::Config,
            Kind::NotInjectable => ErrorKind::NotInjectable,
            Kind::Request => ErrorKind::Request,
            Kind::NotOffered => ErrorKind::NotOffered,
            Kind::Numeric => ErrorKind::Numeric,
            Kind::Cancelled => ErrorKind::Cancelled,
            Kind::Internal => ErrorKind::Internal,
        };
        AbiError::new(kind, failure.message).into()
    }
}
