//! Methods that train biases and gains: BitFit (Ben Zaken et al., arXiv 2106.10199) and
//! CLIPFit (Li et al., arXiv 2409.16718).
//!
//! A target may have no counterpart for some: EVA02's keys have no bias, its MLP is
//! different, its image tower has no `ln_pre`. Those are left out there.

mod bitfit;
mod clipfit;
mod vectors;

use harness_sdk::export_plugin;

pub use bitfit::BitFit;
pub use clipfit::ClipFit;

export_plugin!(BitFit, ClipFit);
