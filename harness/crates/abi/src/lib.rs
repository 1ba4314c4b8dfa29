//! The contract between the harness and its plugins.
//!
//! A plugin is a `cdylib` with its own copy of candle, its own allocator and its
//! own thread pool. Nothing but plain data crosses: shapes with contiguous `f32`
//! values, token ids, JSON and safetensors bytes. The host owns the backbone; a
//! plugin asks it to encode prompts and to pull gradients back.
//!
//! Three layers, outermost first:
//! 1. [`PluginRecord`], a fixed block of bytes that is read from the file before
//!    any of its code runs: who built it, against which ABI;
//! 2. [`PluginMod`], the root module, whose layout abi_stable compares;
//! 3. the traits [`Host`], [`Method`] and [`Predictor`], whose requests are the
//!    serde types of [`wire`].
//!
//! This is the only crate that names abi_stable.

// All of it comes from abi_stable's macros, none from our items.
#![allow(
    unsafe_code,
    non_local_definitions,
    non_camel_case_types,
    clippy::missing_safety_doc
)]

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
pub use tensor::{AbiTensor, Reply};
pub use traits::{
    Host, Host_TO, HostObject, Method, Method_TO, MethodObject, Predictor, Predictor_TO,
    PredictorObject,
};

/// What `rustc --version` said of the compiler of this crate, and so of the plugin
/// or host that it is part of.
pub const RUSTC_VERSION: &str = env!("HARNESS_RUSTC");

/// Raised when a plugin built before can no longer run.
pub const ABI_MAJOR: u16 = 1;
/// Raised when something is added that older plugins do not need.
pub const ABI_MINOR: u16 = 1;

#[cfg(test)]
mod tests {
    use super::{ABI_MAJOR, ABI_MINOR};

    /// abi_stable checks the crate's version, plugins the ABI's: they move together.
    #[test]
    fn the_crate_version_is_the_abi_version() {
        let version = format!("{ABI_MAJOR}.{ABI_MINOR}.");
        assert!(env!("CARGO_PKG_VERSION").starts_with(&version));
    }
}
