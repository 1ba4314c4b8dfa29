//! Opening a data set: whole, or as far as its annotations go.

use std::path::Path;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::format::{Request, list, resolve};
use crate::options::OpenOptions;
use crate::problems::Problems;
use crate::summary::Summary;

impl Dataset {
    /// Opens the data set at `path` with the default options; see [`Dataset::open_with`].
    ///
    /// # Errors
    /// As [`Dataset::open_with`].
    pub fn open(path: &Path) -> Result<Dataset, DataError> {
        Dataset::open_with(path, &OpenOptions::default())
    }

    /// Opens the data set at `path` in whichever format it has and checks everything short of
    /// decoding pixels.
    ///
    /// # Errors
    /// Unknown format, unreadable files, or one [`DataError::Invalid`] that counts and names
    /// everything that is wrong with the content.
    pub fn open_with(path: &Path, options: &OpenOptions) -> Result<Dataset, DataError> {
        let request = Request::new(path, options);
        let mut problems = Problems::default();
        let listing = list(request, &mut problems)?;
        let origin = listing.origin.clone();
        let parts = resolve(request, listing, &mut problems)?;
        problems.into_result(&origin)?;
        Ok(Dataset::from_parts(parts))
    }
}

impl Summary {
    /// Reads the annotations at `path`; cheaper than opening it, and no image is touched.
    ///
    /// # Errors
    /// The same as [`Dataset::open`], except those about images.
    pub fn read(path: &Path, options: &OpenOptions) -> Result<Summary, DataError> {
        let mut problems = Problems::default();
        let listing = list(Request::new(path, options), &mut problems)?;
        problems.into_result(&listing.origin)?;
        Ok(listing.summary())
    }
}
