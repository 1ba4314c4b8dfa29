//! Real plugins through the real boundary; `cargo test --workspace` builds them first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod converted_modules;
mod deep;
mod frozen_abi;
mod golden_boundary;
mod golden_methods;
mod golden_python;
mod hooks;
mod methods;
mod misbehaviour;
mod plugin_loading;
mod plugins;
mod reference;
