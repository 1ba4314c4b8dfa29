//! Where pages take their pictures from.

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Media type: `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// The test images of a report's data sets.
pub trait Pictures {
    /// The image at the size of a page; `None` where it cannot be read any more.
    fn picture(&self, dataset: &str, image: usize) -> Option<Picture>;

    /// Its path, where it has one, otherwise `test[image]`.
    fn name(&self, dataset: &str, image: usize) -> String;
}
