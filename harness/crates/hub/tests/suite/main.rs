//! Downloads against a server on this machine that behaves as badly as real ones.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod damage;
mod fetching;
mod refusals;
mod server;
mod sharing;
