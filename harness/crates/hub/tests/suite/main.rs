//! Downloads from a local server that misbehaves the way real ones do.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod damage;
mod fetching;
mod refusals;
mod server;
mod sharing;
