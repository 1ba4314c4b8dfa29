//! Training of the towers: first the image tower on what is in the pictures, then both on captions.

mod adamw;
mod alignment;
mod feed;
mod labels;
mod loss;
mod parameters;
mod progress;
mod rate;
mod recipe;
mod stages;

pub(crate) use adamw::{AdamW, Slot};
pub(crate) use feed::{DEVIATION, MEAN};
pub(crate) use loss::{cross_entropy, unit_rows};
pub(crate) use recipe::{BACKBONES, ImageTower, Shape};
pub(crate) use stages::train;
