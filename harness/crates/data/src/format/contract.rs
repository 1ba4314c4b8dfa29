//! What a data set format has to do, and what it is asked.

use std::path::Path;

use crate::content;
use crate::dataset::Parts;
use crate::error::DataError;
use crate::known::KnownDataset;
use crate::listing::Listing;
use crate::options::OpenOptions;
use crate::problems::Problems;

/// A data set to read: its location and how to read it.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a Path,
    pub(crate) options: &'a OpenOptions,
    /// The known data set whose layout the options ask for.
    pub(crate) known: Option<&'static KnownDataset>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(path: &'a Path, options: &'a OpenOptions) -> Request<'a> {
        let known = options.known.as_deref().and_then(KnownDataset::find);
        Request {
            path,
            options,
            known,
        }
    }
}

/// A way of storing a data set.
pub(crate) trait Format: Sync {
    /// Whether `path` looks like this format; decides by the presence of files alone.
    fn matches(&self, path: &Path) -> bool;
    /// Reads the annotations without touching an image. Mistakes in them go into `problems`; an
    /// error means that nothing can be read.
    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError>;
    /// The images of a listing.
    fn resolve(
        &self,
        request: Request<'_>,
        listing: Listing,
        problems: &mut Problems,
    ) -> Result<Parts, DataError> {
        content::resolve(request.path, listing, request.options, problems)
    }
}
