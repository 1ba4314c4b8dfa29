//! Opening a sprite sheet data set and cutting tiles.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use image::{DynamicImage, RgbImage};

use super::manifest::{FILE_NAME, Manifest, SheetSplit};
use crate::dataset::{ImageSource, Parts};
use crate::decode::{MAX_FILE_BYTES, decode, probe, read_bounded};
use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::listing::Listing;
use crate::problems::Problems;
use crate::summary::Split;

pub(crate) struct SpriteSheetFormat;

impl Format for SpriteSheetFormat {
    fn matches(&self, dir: &Path) -> bool {
        dir.join(FILE_NAME).exists()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let manifest = Manifest::read(request.path)?;
        manifest.check(problems);
        Ok(manifest.listing(request.path))
    }

    fn resolve(
        &self,
        request: Request<'_>,
        listing: Listing,
        problems: &mut Problems,
    ) -> Result<Parts, DataError> {
        let dir = request.path;
        let manifest = Manifest::read(dir)?;
        let sheets = Split::ALL.map(|split| {
            let part = manifest.splits.get(split)?;
            if part.labels.is_empty() {
                return None;
            }
            Sheet::open(dir, split, part, manifest.tile, problems)
        });
        Ok(Parts {
            summary: listing.summary(),
            labels: listing.labels(),
            content: Split::ALL
                .map(|split| sheets[split.index()].iter().map(Sheet::identity).collect()),
            missing: 0,
            images: Box::new(Sheets(sheets)),
        })
    }
}

/// The sprite sheets by split; each is decoded when first needed and then kept.
struct Sheets([Option<Sheet>; 3]);

struct Sheet {
    path: PathBuf,
    sha256: String,
    tile: (u32, u32),
    columns: u32,
    decoded: Mutex<Option<Arc<DynamicImage>>>,
}

impl Sheet {
    /// Probes the file of a split and compares its size with the manifest.
    fn open(
        dir: &Path,
        split: Split,
        part: &SheetSplit,
        tile: (u32, u32),
        problems: &mut Problems,
    ) -> Option<Sheet> {
        let path = dir.join(&part.sheet);
        let bytes = read_bounded(&path, MAX_FILE_BYTES);
        let found = match bytes.and_then(|bytes| probe(&path, &bytes)) {
            Ok(found) => found,
            Err(error) => {
                problems.add("unreadable sprite sheet", format!("{split}: {error}"));
                return None;
            }
        };
        let needed = part.sheet_size(tile);
        if needed != (u64::from(found.width), u64::from(found.height)) {
            let item = format!(
                "{split}: {} has {}x{} pixels, but {} tiles of {}x{} in {} columns need {}x{}",
                part.sheet,
                found.width,
                found.height,
                part.labels.len(),
                tile.0,
                tile.1,
                part.columns,
                needed.0,
                needed.1,
            );
            problems.add("sprite sheet of the wrong size", item);
            return None;
        }
        Some(Sheet {
            path,
            sha256: found.sha256,
            tile,
            columns: part.columns,
            decoded: Mutex::new(None),
        })
    }

    /// What decides the pixels of every tile: the file and how it is cut.
    fn identity(&self) -> String {
        let (width, height) = self.tile;
        format!("{} {width}x{height}/{}", self.sha256, self.columns)
    }

    fn pixels(&self) -> Result<Arc<DynamicImage>, DataError> {
        // Held while decoding, so that threads that arrive together decode once.
        let mut slot = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = slot.as_ref() {
            return Ok(Arc::clone(pixels));
        }
        let bytes = read_bounded(&self.path, MAX_FILE_BYTES)?;
        let pixels = Arc::new(decode(&self.path, &bytes, Some(&self.sha256))?);
        *slot = Some(Arc::clone(&pixels));
        Ok(pixels)
    }

    fn cut(&self, index: usize) -> Result<RgbImage, DataError> {
        let (width, height) = self.tile;
        // Below the pixel limit, which was checked when opening, nothing here can overflow.
        let (row, column) = (index as u32 / self.columns, index as u32 % self.columns);
        let tile = self
            .pixels()?
            .crop_imm(column * width, row * height, width, height);
        Ok(tile.into_rgb8())
    }
}

impl ImageSource for Sheets {
    fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError> {
        match &self.0[split.index()] {
            Some(sheet) => sheet.cut(index),
            None => Err(DataError::OutOfRange {
                split: split.as_str(),
                index,
                len: 0,
            }),
        }
    }
}
