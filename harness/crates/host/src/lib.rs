//! Plugins from the host's side: loading them, and the backbone that they talk to.
//!
//! - [`plugin`] opens a library, checks it in three steps before any of its code may do
//!   anything, and calls its methods.
//! - [`boundary`] answers a plugin: one backbone with one task, prompts encoded and
//!   gradients pulled back.
//! - [`module_file`] reads a module's header and completes it after training.
//!
//! It knows the contract (`harness-abi`) and the towers (`harness-backbone`). It must not
//! know suites, data sets, the store or worker processes.

pub mod boundary;
pub mod module_file;
pub mod plugin;
