//! Errors from loading weights to computing features.

use std::path::PathBuf;

/// An error of this crate. Every message says where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackboneError {
    /// Reading failed; the message of `fs_err` names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file is missing, truncated or malformed.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Expected, found, and what to do.
        reason: String,
    },
    /// The configuration lacks a value, or names something this crate does not compute.
    #[error("{origin}: `{key}`: {reason}")]
    Config {
        /// The file, or a name for a configuration in memory.
        origin: String,
        /// Path of the key, such as `text_cfg.heads`.
        key: String,
        /// Expected and found.
        reason: String,
    },
    /// The tensor names follow none of the known layouts.
    #[error("{origin}: unknown layout: {reason}")]
    Layout {
        /// The weights file, or a name for tensors in memory.
        origin: String,
        /// Which names were expected and found.
        reason: String,
    },
    /// A tensor is missing, unexpected, of the wrong shape or type, or not finite.
    #[error("{origin}: tensor `{name}`: expected {expected}, found {found}")]
    Tensor {
        /// The weights file, or a name for tensors in memory.
        origin: String,
        /// The tensor's name in the state dict.
        name: String,
        /// What this architecture needs.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The tokenizer file is unusable or a text cannot be encoded.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The caller asked for something the tower cannot do.
    #[error("{0}")]
    Request(String),
    /// The tower has no such site.
    #[error("{0}")]
    NotOffered(String),
    /// An image cannot be transformed.
    #[error("image: {0}")]
    Image(String),
    /// The tensor library refused an operation.
    #[error("tensor operation failed: {0}")]
    Compute(#[from] candle_core::Error),
}

/// Result of this crate.
pub type Result<T, E = BackboneError> = std::result::Result<T, E>;
