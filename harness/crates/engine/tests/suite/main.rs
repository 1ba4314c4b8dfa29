//! Integration tests of the engine with real plugins; `cargo test --workspace`
//! builds those first.

mod frozen_abi;
mod golden_boundary;
mod golden_methods;
mod hooks;
mod misbehaviour;
mod plugin_loading;
mod plugins;
mod reference;
