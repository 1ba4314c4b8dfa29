//! Errors that cross the boundary: a kind to act on and a message to show.

use std::fmt;

use abi_stable::{StableAbi, std_types::RString};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The method's configuration is invalid.
    Config,
    /// The method or module does not fit this backbone or class set: a result, not a
    /// failure.
    NotInjectable,
    /// A request that violates the contract: shapes, ids, ranges.
    Request,
    /// A site that this backbone does not offer.
    NotOffered,
    /// A number became NaN or infinite.
    Numeric,
    /// The host cancelled the work.
    Cancelled,
    /// A panic was caught.
    Panicked,
    /// Anything else, including kinds of a newer ABI.
    Internal,
    /// A process that the plugin works with ended. Since ABI 1.2.
    Crashed,
}

impl ErrorKind {
    const ALL: [Self; 9] = [
        Self::Config,
        Self::NotInjectable,
        Self::Request,
        Self::NotOffered,
        Self::Numeric,
        Self::Cancelled,
        Self::Panicked,
        Self::Internal,
        Self::Crashed,
    ];

    const fn code(self) -> u32 {
        self as u32
    }
}

/// An error of either side.
///
/// The kind crosses as a number. Kinds that the reader does not know read as
/// [`ErrorKind::Internal`].
#[repr(C)]
#[derive(Clone, Debug, StableAbi)]
pub struct AbiError {
    code: u32,
    message: RString,
}

impl AbiError {
    /// An error with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: kind.code(),
            message: RString::from(message.into()),
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::ALL
            .into_iter()
            .find(|kind| kind.code() == self.code)
            .unwrap_or(ErrorKind::Internal)
    }

    /// The message to show.
    pub fn message(&self) -> &str {
        self.message.as_str()
    }
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for AbiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_newer_abi_reads_as_internal() {
        let newer = AbiError {
            code: 4711,
            message: "new trouble".into(),
        };
        assert_eq!(newer.kind(), ErrorKind::Internal);
        for kind in ErrorKind::ALL {
            assert_eq!(AbiError::new(kind, "x").kind(), kind);
        }
    }
}
