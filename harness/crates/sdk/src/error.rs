//! What can go wrong inside a plugin, and how it crosses to the host.

use harness_abi::{AbiError, ErrorKind};
use thiserror::Error;

/// Result of everything in the SDK.
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(String),
    /// The method or module does not fit the backbone or class set at hand.
    #[error("{0}")]
    NotInjectable(String),
    /// The module file cannot be used.
    #[error("module file: {0}")]
    Module(String),
    /// A value became NaN or infinite.
    #[error("{0}")]
    Numeric(String),
    /// A trained parameter that the loss does not reach.
    #[error(
        "parameter `{0}` got no gradient: the loss does not depend on it, or an operation \
         without a backward pass lies between; use the operations of harness_sdk::ops"
    )]
    NoGradient(String),
    /// The host refused a request.
    #[error(transparent)]
    Host(#[from] AbiError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error("malformed JSON on the plugin boundary: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Error> for AbiError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Host(inner) => inner.kind(),
            Error::Config(_) => ErrorKind::Config,
            Error::NotInjectable(_) => ErrorKind::NotInjectable,
            Error::Module(_) => ErrorKind::Request,
            Error::Numeric(_) | Error::NoGradient(_) => ErrorKind::Numeric,
            Error::Tensor(_) | Error::Json(_) => ErrorKind::Internal,
        };
        AbiError::new(kind, error.to_string())
    }
}
