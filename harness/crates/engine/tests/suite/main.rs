//! Integration tests of the engine with real plugins; `cargo test --workspace`
//! builds those first.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue ends")]

mod images;
