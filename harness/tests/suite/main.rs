//! The program as its users see it: one binary, since each would link everything.
//!
//! The plugins are those that cargo built beside the tests, so these need
//! `cargo test --workspace`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod analyses;
mod authors;
mod check;
mod cli;
mod data;
mod end_to_end;
mod env;
mod faults;
mod full_size;
mod gate;
mod init;
mod install;
mod kills;
mod layout;
mod live;
mod lock;
mod misbehaving;
mod plan;
mod predict;
mod python;
mod readme;
mod schemas;
mod start;
mod submit;
mod trackers;
mod trials;
mod tutorial;
mod withstand;
