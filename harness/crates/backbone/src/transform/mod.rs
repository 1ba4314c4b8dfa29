//! From image files to pixels, as PIL, open_clip and transformers do it.

mod files;
mod resample;
#[expect(clippy::module_inception, reason = "the type of the same name")]
mod transform;

pub use resample::Filter;
pub(crate) use resample::weights;
pub(crate) use transform::resize;
pub use transform::{Crop, ImageTransform, Resize, Rounding};
