//! Writing a sprite sheet data set; the same input gives the same bytes.

use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};

use super::manifest::{FILE_NAME, FORMAT, Manifest, SheetSplit, Splits};
use crate::decode::MAX_PIXELS;
use crate::error::DataError;
use crate::problems::Problems;
use crate::summary::{Class, Split};

/// Everything about a data set but its images.
#[derive(Clone, Debug)]
pub struct DatasetSpec {
    pub name: String,
    pub title: String,
    pub license: String,
    pub source: String,
    /// The data set of which this one is a shifted version; training images are then optional.
    pub shift_of: Option<String>,
    /// Width and height of every tile in pixels.
    pub tile: (u32, u32),
    /// Tiles per row of a sprite sheet.
    pub columns: u32,
    pub classes: Vec<Class>,
    /// Prompt templates, each with exactly one `{}`.
    pub templates: Vec<String>,
}

/// The images of one split: `images[i]` has label `labels[i]`.
#[derive(Clone, Debug, Default)]
pub struct SplitTiles {
    pub images: Vec<RgbImage>,
    pub labels: Vec<u32>,
}

/// The images of all splits; an empty split is left out.
#[derive(Clone, Debug, Default)]
pub struct Tiles {
    pub train: SplitTiles,
    pub val: SplitTiles,
    pub test: SplitTiles,
}

impl Tiles {
    fn get(&self, split: Split) -> &SplitTiles {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }
}

/// Writes `dir/dataset.json` and a sprite sheet per split, creating `dir` if needed.
///
/// The manifest is written last, so a directory with one is complete. Sprite sheets without colour
/// are stored as greyscale.
///
/// # Errors
/// Everything that [`crate::Dataset::open`] would refuse, and files that cannot be written.
pub fn write(dir: &Path, spec: &DatasetSpec, tiles: &Tiles) -> Result<(), DataError> {
    let manifest = manifest(spec, tiles);
    let mut problems = Problems::default();
    manifest.check(&mut problems);
    manifest.listing(dir).check(&mut problems);
    for split in Split::ALL {
        check_tiles(spec, split, tiles.get(split), &mut problems);
    }
    problems.into_result(&dir.join(FILE_NAME))?;

    fs_err::create_dir_all(dir)?;
    for split in Split::ALL {
        if let Some(part) = manifest.splits.get(split) {
            let path = dir.join(&part.sheet);
            let pixels = compose(&path, part, spec.tile, &tiles.get(split).images)?;
            fs_err::write(&path, encode(&path, &pixels)?)?;
        }
    }
    let path = dir.join(FILE_NAME);
    let mut json =
        serde_json::to_vec(&manifest).map_err(|error| DataError::malformed(&path, error))?;
    json.push(b'\n');
    Ok(fs_err::write(&path, json)?)
}

fn manifest(spec: &DatasetSpec, tiles: &Tiles) -> Manifest {
    let part = |split: Split| {
        let labels = &tiles.get(split).labels;
        (!labels.is_empty()).then(|| SheetSplit {
            sheet: format!("{split}.png"),
            columns: spec.columns,
            labels: labels.clone(),
        })
    };
    Manifest {
        format: FORMAT.to_owned(),
        name: spec.name.clone(),
        title: spec.title.clone(),
        license: spec.license.clone(),
        source: spec.source.clone(),
        shift_of: spec.shift_of.clone(),
        tile: spec.tile,
        classes: spec.classes.clone(),
        templates: spec.templates.clone(),
        splits: Splits {
            train: part(Split::Train),
            val: part(Split::Val),
            test: part(Split::Test),
        },
    }
}

fn check_tiles(spec: &DatasetSpec, split: Split, tiles: &SplitTiles, problems: &mut Problems) {
    let (images, labels) = (tiles.images.len(), tiles.labels.len());
    if images != labels {
        let item = format!("{split}: {images} images, {labels} labels");
        problems.add("different numbers of images and labels", item);
    }
    for (index, image) in tiles.images.iter().enumerate() {
        if image.dimensions() != spec.tile {
            let (width, height) = image.dimensions();
            problems.add(
                "image that does not have the size of a tile",
                format!("{split}[{index}] is {width}x{height}"),
            );
        }
    }
}

/// Lays the tiles out row by row; the rest of the last row stays black.
fn compose(
    path: &Path,
    part: &SheetSplit,
    tile: (u32, u32),
    images: &[RgbImage],
) -> Result<RgbImage, DataError> {
    let (width, height) = part.sheet_size(tile);
    if width.saturating_mul(height) > MAX_PIXELS {
        let reason = format!(
            "a sprite sheet of {width}x{height} pixels; at most {MAX_PIXELS} pixels can be read"
        );
        return Err(DataError::image(path, reason));
    }
    let mut sheet = RgbImage::new(width as u32, height as u32);
    for (index, image) in images.iter().enumerate() {
        let columns = i64::from(part.columns);
        let x = index as i64 % columns * i64::from(tile.0);
        let y = index as i64 / columns * i64::from(tile.1);
        image::imageops::replace(&mut sheet, image, x, y);
    }
    Ok(sheet)
}

const FILTERS: [FilterType; 6] = [
    FilterType::NoFilter,
    FilterType::Sub,
    FilterType::Up,
    FilterType::Avg,
    FilterType::Paeth,
    FilterType::Adaptive,
];

/// A small PNG. The best row filter depends on the images, so a light compression with each filter,
/// at a twentieth of the cost of the best compression, decides which one to use.
fn encode(path: &Path, sheet: &RgbImage) -> Result<Vec<u8>, DataError> {
    let (width, height) = sheet.dimensions();
    let grey = grey(sheet);
    let (pixels, color) = match &grey {
        Some(grey) => (grey.as_raw(), ExtendedColorType::L8),
        None => (sheet.as_raw(), ExtendedColorType::Rgb8),
    };
    let encode = |compression, filter| {
        let mut bytes = Vec::new();
        PngEncoder::new_with_quality(&mut bytes, compression, filter)
            .write_image(pixels, width, height, color)
            .map_err(|error| DataError::image(path, format!("cannot be encoded: {error}")))?;
        Ok::<_, DataError>(bytes)
    };
    let mut chosen = (usize::MAX, FilterType::Adaptive);
    for filter in FILTERS {
        let size = encode(CompressionType::Level(2), filter)?.len();
        if size < chosen.0 {
            chosen = (size, filter);
        }
    }
    encode(CompressionType::Best, chosen.1)
}

/// The single channel of an image whose channels are equal everywhere.
fn grey(sheet: &RgbImage) -> Option<GrayImage> {
    let mut grey = GrayImage::new(sheet.width(), sheet.height());
    for (from, to) in sheet.pixels().zip(grey.pixels_mut()) {
        let [r, g, b] = from.0;
        if r != g || g != b {
            return None;
        }
        to.0 = [r];
    }
    Some(grey)
}
