//! Opening and writing data sets in every format.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

mod bad_images;
mod check;
mod coop_layout;
mod export;
mod fewshot_golden;
mod folder;
mod hostile_sprite_sheet;
mod imagenet;
mod sampler_properties;
mod split_file;
mod sprite_sheet;
mod support;
mod table;
mod webdataset;
