//! Methods that train what a backbone has in vectors: BitFit's biases (Ben Zaken et
//! al., arXiv 2106.10199) and CLIPFit's biases and gains (Li et al., arXiv 2409.16718).
//!
//! A target may lack the counterpart of some: EVA02's keys have no bias, its MLP is
//! built otherwise, its image tower has no `ln_pre`. Those are left out there.

mod bitfit;
mod clipfit;
mod vectors;

use harness_sdk::export_plugin;

pub use bitfit::BitFit;
pub use clipfit::ClipFit;

export_plugin!(BitFit, ClipFit);
