//! Integration tests of the engine with real plugins; `cargo test --workspace`
//! builds those first.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod images;
