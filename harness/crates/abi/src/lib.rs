//! The contract between the harness and its plugins.
//!
//! A plugin is a `cdylib` with its own copy of candle, its own allocator and its
//! own thread pool. Only plain data crosses: shapes with contiguous `f32` values, token
//! ids, JSON and safetensors bytes. The host owns the backbone; a plugin asks it to
//! encode prompts and images and to backpropagate through them.
//!
//! Three layers, outermost first:
//! 1. [`PluginRecord`], a fixed block of bytes that is read from the file before
//!    any of its code runs: SDK, compiler and ABI version;
//! 2. [`PluginMod`], the root module, whose layout abi_stable compares;
//! 3. the traits [`Host`], [`Method`] and [`Predictor`], whose requests are the
//!    serde types of [`wire`].
//!
//! This crate knows neither tensors nor towers, and depends on no other crate of the
//! workspace. It is the only one that names abi_stable.

#![warn(missing_docs)]

mod error;
mod export;
mod guard;
mod record;
mod root;
mod tensor;
mod traits;
pub mod wire;

pub use abi_stable;
pub use abi_stable::std_types;
pub use error::{AbiError, ErrorKind};
pub use guard::guarded;
pub use record::{PluginRecord, RECORD_SYMBOL, RecordError};
pub use root::{LOADER_SYMBOL, PluginMod, PluginModRef};
pub use tensor::{AbiTensor, Reply, ShapeError};
pub use traits::{
    Host, Host_TO, HostObject, Method, Method_TO, MethodObject, Predictor, Predictor_TO,
    PredictorObject,
};

/// Output of `rustc --version` for the compiler of this crate, and so of the plugin or
/// host that it is part of.
pub const RUSTC_VERSION: &str = env!("HARNESS_RUSTC");

/// Raised when plugins built earlier can no longer run.
pub const ABI_MAJOR: u16 = 1;
/// Raised when something is added; plugins built earlier still run.
pub const ABI_MINOR: u16 = 2;
/// The minor version that a plugin needs which uses nothing newer.
pub const ABI_MINOR_BASE: u16 = 1;

#[cfg(test)]
mod tests {
    use super::{ABI_MAJOR, ABI_MINOR};

    /// abi_stable compares the crate's version, the record holds the ABI's.
    #[test]
    fn the_crate_version_is_the_abi_version() {
        let version = format!("{ABI_MAJOR}.{ABI_MINOR}.");
        assert!(env!("CARGO_PKG_VERSION").starts_with(&version));
    }
}
