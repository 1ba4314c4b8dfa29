//! Programs of other people that tests hold ours against. A test whose program is missing says so
//! and passes, or fails where `HARNESS_REQUIRE_TOOLS` is 1.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "for tests alone: one that cannot go on fails"
)]

mod browser;
mod tool;

pub use browser::{Browser, DOWN, ENTER, RIGHT, TAB};
pub use tool::{skipped, tool};
