//! Downloads against a server on this machine that behaves as badly as real ones, and
//! checkpoints of PyTorch, well-meant and not.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod checkpoints;
mod damage;
mod fetching;
mod hostile_pickles;
mod refusals;
mod server;
mod sharing;
