//! Errors inside a plugin and how they cross to the host.

use harness_abi::{AbiError, ErrorKind, ShapeError, wire::RecipeError};
use thiserror::Error;

use crate::author_frame;

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
    /// Another error with the place where it occurred: "in `logits` of `coop`, step 3".
    #[error("in {place}: {message}")]
    Within {
        /// From the innermost outwards.
        place: String,
        /// What happened there.
        message: String,
        /// What the host makes of it.
        kind: ErrorKind,
    },
}

impl Error {
    /// Adds where the error occurred, to errors that say nothing of it. A configuration that is
    /// invalid and a module that does not fit are answers, and stay as they are.
    pub(crate) fn within(self, outer: impl AsRef<str>) -> Self {
        let outer = outer.as_ref();
        match self {
            Self::Within {
                place,
                message,
                kind,
            } => Self::Within {
                place: format!("{place}, {outer}"),
                message,
                kind,
            },
            Self::Tensor(error) => Self::Within {
                place: outer.to_owned(),
                message: author_frame::described(&error),
                kind: ErrorKind::Internal,
            },
            Self::Json(_) | Self::Shape(_) | Self::Numeric(_) | Self::NoGradient(_) => {
                self.with_place(outer)
            }
            Self::Host(ref error)
                if matches!(error.kind(), ErrorKind::Request | ErrorKind::Numeric) =>
            {
                self.with_place(outer)
            }
            answer => answer,
        }
    }

    fn with_place(self, place: &str) -> Self {
        let crossing = AbiError::from(self);
        Self::Within {
            place: place.to_owned(),
            message: crossing.message().to_owned(),
            kind: crossing.kind(),
        }
    }

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
            Error::Within { kind, .. } => *kind,
            Error::Config(_) | Error::Recipe(_) => ErrorKind::Config,
            Error::NotInjectable(_) => ErrorKind::NotInjectable,
            Error::Module(_) => ErrorKind::Request,
            Error::Numeric(_) | Error::NoGradient(_) => ErrorKind::Numeric,
            Error::Tensor(_) | Error::Json(_) | Error::Shape(_) => ErrorKind::Internal,
        };
        AbiError::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candle_error_says_where_it_occurred() {
        let a = crate::Tensor::new(&[[1f32, 2.0]], &crate::Device::Cpu).unwrap();
        let error = Error::from(a.matmul(&a).unwrap_err());
        let error = error.within("`logits` of `x`").within("step 0");
        let text = error.to_string();
        assert!(
            text.starts_with("in `logits` of `x`, step 0: shape mismatch in matmul"),
            "{text}"
        );
        assert_eq!(AbiError::from(error).kind(), ErrorKind::Internal);
    }

    #[test]
    fn answers_stay_as_they_are() {
        let unfit = Error::NotInjectable("needs 512".into()).within("`setup` of `x`");
        assert_eq!(unfit.to_string(), "needs 512");
        let cancelled = Error::Host(AbiError::new(ErrorKind::Cancelled, "stop"));
        assert_eq!(cancelled.within("step 3").to_string(), "stop");
    }
}
