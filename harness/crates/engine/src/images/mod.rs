//! From the files of a data set to the input of the image tower, and to its features.

mod error;
mod options;
mod pipeline;
mod set;

pub use error::ImagesError;
pub use options::{Augment, FeaturePrecision, ImageOptions, ImageOptionsError};
pub use pipeline::encode;
pub use set::ImageSet;
