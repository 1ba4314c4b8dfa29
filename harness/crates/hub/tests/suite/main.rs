//! Downloads from a local server that misbehaves the way real ones do.

// A test that cannot go on ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod damage;
mod fetching;
mod refusals;
mod server;
mod sharing;
