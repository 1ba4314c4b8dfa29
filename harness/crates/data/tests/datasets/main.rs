//! Opening and writing data sets in every format.

// A test that cannot go on ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_images;
mod check;
mod coop_layout;
mod export;
mod fewshot_golden;
mod folder;
mod hostile_sprite_sheet;
mod imagenet;
mod other_layouts;
mod sampler_properties;
mod split_file;
mod sprite_sheet;
mod support;
mod table;
mod webdataset;
