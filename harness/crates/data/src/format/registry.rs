//! The list of formats, and reading a data set in the one that it has.

use crate::dataset::Parts;
use crate::error::DataError;
use crate::format::aircraft::AircraftFormat;
use crate::format::contract::{Format, Request};
use crate::format::folder::{FolderFormat, UndividedFolderFormat};
use crate::format::imagenet::ImagenetFormat;
use crate::format::parquet::ParquetFormat;
use crate::format::split_file::SplitFileFormat;
use crate::format::sprite_sheet::SpriteSheetFormat;
use crate::format::table::TableFormat;
use crate::format::webdataset::WebDatasetFormat;
use crate::known::DatasetLayout;
use crate::listing::{Listing, Pixels};
use crate::problems::Problems;

/// The first that matches is used, so that annotations win over folders beside them.
const FORMATS: [&dyn Format; 9] = [
    &SpriteSheetFormat,
    &SplitFileFormat,
    &WebDatasetFormat,
    &ParquetFormat,
    &AircraftFormat,
    &TableFormat,
    &FolderFormat,
    &ImagenetFormat,
    &UndividedFolderFormat,
];

/// The annotations of a data set, with everything that is wrong in them.
pub(crate) fn list(request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
    let mut listing = format_of(request)?.list(request, problems)?;
    listing.apply(request.options);
    listing.check(problems);
    Ok(listing)
}

/// The images of a listing, with everything that is wrong in them.
pub(crate) fn resolve(
    request: Request<'_>,
    listing: Listing,
    problems: &mut Problems,
) -> Result<Parts, DataError> {
    // A format of its own needs sound annotations to find its images; files can be checked anyway.
    if !problems.is_empty() && matches!(listing.pixels, Pixels::Custom) {
        let summary = listing.summary();
        return Ok(Parts::without_images(summary, listing.labels()));
    }
    format_of(request)?.resolve(request, listing, problems)
}

fn format_of(request: Request<'_>) -> Result<&'static dyn Format, DataError> {
    // Says "no such file or directory" rather than "unknown format".
    fs_err::metadata(request.path)?;
    if let Some(known) = request.known {
        return Ok(match known.layout {
            DatasetLayout::SplitFile => &SplitFileFormat,
            DatasetLayout::Aircraft => &AircraftFormat,
            DatasetLayout::Imagenet
            | DatasetLayout::ImagenetFolders
            | DatasetLayout::ImagenetNumbered => &ImagenetFormat,
        });
    }
    FORMATS
        .into_iter()
        .find(|format| format.matches(request.path))
        .ok_or_else(|| DataError::UnknownFormat {
            dir: request.path.to_owned(),
        })
}
