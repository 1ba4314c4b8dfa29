//! The size of pictures.

/// Width and height of a picture in pixels.
pub(crate) const SIDE: usize = 32;
