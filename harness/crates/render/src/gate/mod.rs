//! What a gate prints: text for a terminal, a step summary and annotations for GitHub.

mod commands;
mod failure;
mod github;
mod render;
#[cfg(test)]
mod tests;

pub use commands::Commands;
pub use github::{STEP_SUMMARY_LIMIT, annotations, step_summary};
pub use render::{render, render_difference};
