//! What can be wrong with a plugin, and what to do about it.

use std::path::PathBuf;

use harness_abi::{AbiError, ErrorKind};
use thiserror::Error;

/// Why a file does not load as a plugin. Each message names the file, what was
/// expected, what was found and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("{path}: no such plugin file; build it with `cargo build`, or correct the path")]
    Missing { path: PathBuf },
    #[error("{path}: cannot be read: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error(
        "{path}: expected a shared library, found {found}; name the library that cargo built, \
         such as target/debug/libharness_plugin_coop.so"
    )]
    NotALibrary { path: PathBuf, found: String },
    #[error(
        "{path}: expected a library for {expected}, found one for {found}; build the plugin for \
         this machine"
    )]
    Platform {
        path: PathBuf,
        expected: String,
        found: String,
    },
    #[error(
        "{path}: expected the symbol {symbol}, found a library without it; it is not a \
         harness plugin, or lacks `harness_sdk::export_plugin!`"
    )]
    NotAPlugin { path: PathBuf, symbol: &'static str },
    #[error("{path}: {reason}; rebuild the plugin with this version's SDK")]
    Record { path: PathBuf, reason: String },
    #[error(
        "{path}: expected plugin ABI {expected}, found {found} (built with SDK {sdk} by {rustc}); \
         rebuild the plugin with a harness-sdk of ABI {expected}, or use the harness it was built \
         for"
    )]
    Abi {
        path: PathBuf,
        expected: String,
        found: String,
        sdk: String,
        rustc: String,
    },
    #[error(
        "{path}: expected panic = \"unwind\", found a plugin built with panic = \"abort\", whose \
         panics would end the harness; remove `panic = \"abort\"` from its profile and rebuild"
    )]
    PanicStrategy { path: PathBuf },
    #[error("{path}: the system refused to load it: {reason}")]
    Refused { path: PathBuf, reason: String },
    #[error(
        "{path}: expected the type layouts of plugin ABI {abi}, found others ({reason}); rebuild \
         the plugin against an unmodified harness-sdk"
    )]
    Layout {
        path: PathBuf,
        abi: String,
        reason: String,
    },
    /// The script itself is at fault, and the message names it.
    #[error("{0}")]
    Script(String),
    #[error("{path}: its descriptor is unusable: {reason}; report this to the plugin's author")]
    Descriptor { path: PathBuf, reason: String },
}

/// Why a method returned no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PluginError {
    /// A result rather than an error: the module or method does not fit.
    #[error("{0}")]
    NotInjectable(String),
    /// The backbone has no site or parameter of the requested name. On a target, the module
    /// does not fit; on the backbone it is trained on, the method is at fault.
    #[error("{0}")]
    NotOffered(String),
    #[error("{0}")]
    Failed(String),
    /// A process that the plugin works with ended.
    #[error("{0}")]
    Crashed(String),
    #[error("malformed reply from the plugin: {0}")]
    Malformed(String),
}

impl From<AbiError> for PluginError {
    fn from(error: AbiError) -> Self {
        match error.kind() {
            ErrorKind::NotInjectable => Self::NotInjectable(error.message().to_owned()),
            ErrorKind::NotOffered => Self::NotOffered(error.message().to_owned()),
            ErrorKind::Crashed => Self::Crashed(error.message().to_owned()),
            _ => Self::Failed(error.message().to_owned()),
        }
    }
}

impl From<serde_json::Error> for PluginError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
