//! Errors inside a plugin and how they cross to the host.

use harness_abi::{AbiError, ErrorKind, ShapeError, wire::RecipeError};
use thiserror::Error;

/// Result of everything in the SDK.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in a plugin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is invalid.
    #[error("{0}")]
    Config(String),
    /// The method or module does not fit this backbone or class set.
    #[error("{0}")]
    NotInjectable(String),
    /// The module file cannot be used.
    #[error("module file: {0}")]
    Module(String),
    /// A value became NaN or infinite.
    #[error("{0}")]
    Numeric(String),
    /// The loss does not depend on a trained parameter.
    #[error(
        "parameter `{0}` got no gradient: the loss does not depend on it, or an operation \
         without a backward pass is in between; use the operations of harness_sdk::ops"
    )]
    NoGradient(String),
    /// The host refused a request.
    #[error(transparent)]
    Host(#[from] AbiError),
    /// A candle operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// JSON from the host is not what the ABI says.
    #[error("malformed JSON on the plugin boundary: {0}")]
    Json(#[from] serde_json::Error),
    /// A tensor from the host has another shape than it says.
    #[error("malformed tensor on the plugin boundary: {0}")]
    Shape(#[from] ShapeError),
    /// The suite's changes make the recipe invalid.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

impl Error {
    /// A reply of the host that lacks what the ABI promises.
    pub(crate) fn incomplete_reply(request: &str, expected: &str) -> Self {
        Self::Host(AbiError::new(
            ErrorKind::Internal,
            format!("the host's reply to `{request}` lacks {expected}"),
        ))
    }
}

impl From<Error> for AbiError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Host(inner) => inner.kind(),
            Error::Config(_) | Error::Recipe(_) => ErrorKind::Config,
            Error::NotInjectable(_) => ErrorKind::NotInjectable,
            Error::Module(_) => ErrorKind::Request,
            Error::Numeric(_) | Error::NoGradient(_) => ErrorKind::Numeric,
            Error::Tensor(_) | Error::Json(_) | Error::Shape(_) => ErrorKind::Internal,
        };
        AbiError::new(kind, error.to_string())
    }
}
