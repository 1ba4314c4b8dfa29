//! Tests of the crate's public face, in one binary so that they link once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checkpoint;
mod common;
mod configuration;
mod devices;
mod edits;
mod engine;
mod full_size;
mod golden_tokens;
mod golden_towers;
mod golden_transform;
mod hostile_files;
mod image_forward;
mod image_size;
mod image_training;
mod layers;
mod preprocessing;
mod prompts;
mod threads;
mod tokens;
mod trained_weights;
mod variants;
