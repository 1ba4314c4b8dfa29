//! From the files of a data set to what the image tower gets, and to its features.

mod error;
mod options;
mod pipeline;
mod set;

pub use error::ImagesError;
pub use options::{Augment, FeaturePrecision, ImageOptions};
pub use pipeline::encode;
pub use set::ImageSet;
