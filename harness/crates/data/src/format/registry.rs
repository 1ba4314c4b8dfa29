//! The formats, and which of them a place has.

use std::path::Path;

use crate::DataError;
use crate::content;
use crate::dataset::Parts;
use crate::format::aircraft::AircraftFormat;
use crate::format::folder::{FolderFormat, UndividedFolderFormat};
use crate::format::imagenet::ImagenetFormat;
use crate::format::sheet::SheetFormat;
use crate::format::split_file::SplitFileFormat;
use crate::format::table::TableFormat;
use crate::format::webdataset::WebDatasetFormat;
use crate::known::{Known, Layout};
use crate::listing::{Listing, Pixels};
use crate::opening::Opening;
use crate::problems::Problems;

/// A data set that is to be read: where it lies, and how.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a Path,
    pub(crate) opening: &'a Opening,
    /// The entry that says how it is laid out, if it is a known one.
    pub(crate) known: Option<&'static Known>,
}

/// A way of storing a data set.
pub(crate) trait Format: Sync {
    /// Whether `path` looks like this format; decides by the presence of files alone.
    fn matches(&self, path: &Path) -> bool;
    /// Reads the annotations, without touching an image. What is wrong in them goes into
    /// `problems`; an error means that nothing can be read.
    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError>;
    /// The images of a listing.
    fn resolve(
        &self,
        request: Request<'_>,
        listing: Listing,
        problems: &mut Problems,
    ) -> Result<Parts, DataError> {
        content::resolve(request.path, listing, request.opening, problems)
    }
}

/// The first that matches is used, so that annotations win over folders beside them.
const FORMATS: [&dyn Format; 8] = [
    &SheetFormat,
    &SplitFileFormat,
    &WebDatasetFormat,
    &AircraftFormat,
    &TableFormat,
    &FolderFormat,
    &ImagenetFormat,
    &UndividedFolderFormat,
];

impl<'a> Request<'a> {
    pub(crate) fn new(path: &'a Path, opening: &'a Opening) -> Request<'a> {
        let known = opening.known.as_deref().and_then(Known::find);
        Request {
            path,
            opening,
            known,
        }
    }

    fn format(self) -> Result<&'static dyn Format, DataError> {
        // Says "no such file or directory" rather than "unknown format".
        fs_err::metadata(self.path)?;
        if let Some(known) = self.known {
            return Ok(match known.layout {
                Layout::SplitFile => &SplitFileFormat,
                Layout::Aircraft => &AircraftFormat,
                Layout::Imagenet | Layout::ImagenetFolders | Layout::ImagenetNumbered => {
                    &ImagenetFormat
                }
            });
        }
        FORMATS
            .into_iter()
            .find(|format| format.matches(self.path))
            .ok_or_else(|| DataError::UnknownFormat {
                dir: self.path.to_owned(),
            })
    }

    /// Whether a data set of this name is laid out as the entry of that name says, rather
    /// than being somebody's own folder that happens to be called so.
    pub(crate) fn is_layout_of(self, name: &str) -> bool {
        Known::find(name).is_some_and(|known| known.name == name && known.is_at(self.path))
    }

    /// The annotations, with everything that is wrong in them.
    pub(crate) fn list(self, problems: &mut Problems) -> Result<Listing, DataError> {
        let mut listing = self.format()?.list(self, problems)?;
        listing.apply(self.opening);
        listing.check(problems);
        Ok(listing)
    }

    /// Annotations and images, with everything that is wrong in them.
    pub(crate) fn resolve(
        self,
        listing: Listing,
        problems: &mut Problems,
    ) -> Result<Parts, DataError> {
        // Images can only be judged where the annotations are sound, unless they are files.
        if !problems.is_empty() && matches!(listing.pixels, Pixels::Own) {
            let summary = listing.summary();
            return Ok(Parts::without_images(summary, listing.labels()));
        }
        self.format()?.resolve(self, listing, problems)
    }
}
