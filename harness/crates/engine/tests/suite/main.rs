//! Integration tests of the engine with real plugins; `cargo test --workspace`
//! builds those first.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod deep;
mod frozen_abi;
mod golden_boundary;
mod golden_methods;
mod hooks;
mod images;
mod methods;
mod misbehaviour;
mod plugin_loading;
mod plugins;
mod reference;
