//! Reading image files as PIL reads them, with bounds on what they may cost.

use std::io::{Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::error::DataError;
use harness_store::sha256_hex;

/// Most pixels of an image; a few kilobytes of PNG can claim far more.
pub(crate) const MAX_PIXELS: u64 = 1 << 26;
/// Most bytes of an image file.
pub(crate) const MAX_FILE_BYTES: u64 = 512 << 20;
/// Most bytes that a decoder may allocate: [`MAX_PIXELS`] with four 16-bit channels.
const MAX_ALLOC: u64 = MAX_PIXELS * 8;

/// Reads a whole file, refusing one with more than `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("larger than the limit of {limit} bytes");
        return Err(DataError::malformed(path, reason));
    }
    Ok(bytes)
}

/// What is known about an image without decoding its pixels.
pub(crate) struct Probe {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) sha256: String,
}

/// Hashes the bytes of an image and reads its header.
pub(crate) fn probe(path: &Path, bytes: &[u8]) -> Result<Probe, DataError> {
    let (width, height) = dimensions(path, bytes)?;
    Ok(Probe {
        width,
        height,
        sha256: sha256_hex(bytes),
    })
}

/// Decodes an image that must still have the digest it was probed with.
///
/// The orientation that EXIF data may state is ignored, as PIL's `open` does.
pub(crate) fn decode(
    path: &Path,
    bytes: &[u8],
    sha256: Option<&str>,
) -> Result<DynamicImage, DataError> {
    if sha256.is_some_and(|sha256| sha256_hex(bytes) != sha256) {
        return Err(DataError::Changed {
            path: path.to_owned(),
        });
    }
    pixels(path, bytes)
}

/// An image file as RGB, within the bounds that hold for data sets.
///
/// # Errors
/// The file is missing, too large, or not an image that can be decoded.
pub fn read_image(path: &Path) -> Result<RgbImage, DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    Ok(to_rgb(pixels(path, &bytes)?))
}

fn pixels(path: &Path, bytes: &[u8]) -> Result<DynamicImage, DataError> {
    dimensions(path, bytes)?;
    let mut reader = reader(path, bytes)?;
    // The decoder silently fills what is missing with grey.
    if reader.format() == Some(ImageFormat::Jpeg) && is_cut_off(bytes) {
        let reason = "truncated JPEG; download the file again";
        return Err(DataError::image(path, reason));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    let format = reader.format();
    reader.limits(limits);
    let broken = |error| DataError::image(path, format!("cannot be decoded: {error}"));
    let mut decoder = reader.into_decoder().map_err(broken)?;
    // PIL turns TIFF files as they say, and no others.
    let orientation = match format {
        Some(ImageFormat::Tiff) => decoder.orientation().map_err(broken)?,
        _ => Orientation::NoTransforms,
    };
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if matches!(
        image,
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)
    ) {
        let reason = "floating-point pixels, whose range is not known; convert it to 8 bits";
        return Err(DataError::image(path, reason));
    }
    image.apply_orientation(orientation);
    Ok(image)
}

/// What PIL's `convert("RGB")` makes of an image: alpha is dropped, grey is copied to all
/// channels, and 16 bits are cut to the upper eight, except that 16-bit grey is clipped at 255.
pub(crate) fn to_rgb(image: DynamicImage) -> RgbImage {
    match image {
        DynamicImage::ImageLuma16(grey) => {
            RgbImage::from_fn(grey.width(), grey.height(), |x, y| {
                image::Rgb([grey.get_pixel(x, y).0[0].min(255) as u8; 3])
            })
        }
        deep @ (DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_)) => {
            let deep = deep.into_rgb16();
            RgbImage::from_fn(deep.width(), deep.height(), |x, y| {
                image::Rgb(deep.get_pixel(x, y).0.map(|value| (value >> 8) as u8))
            })
        }
        other => other.into_rgb8(),
    }
}

fn dimensions(path: &Path, bytes: &[u8]) -> Result<(u32, u32), DataError> {
    if bytes.is_empty() {
        return Err(DataError::image(path, "the file is empty"));
    }
    let (width, height) = reader(path, bytes)?
        .into_dimensions()
        .map_err(|error| DataError::image(path, format!("not a readable image: {error}")))?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        let reason = format!("{width}x{height} pixels, expected 1 to {MAX_PIXELS} in total");
        return Err(DataError::image(path, reason));
    }
    Ok((width, height))
}

// The content decides the format: Oxford Pets has GIF and PNG files named .jpg.
fn reader<'a>(path: &Path, bytes: &'a [u8]) -> Result<ImageReader<Cursor<&'a [u8]>>, DataError> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| DataError::image(path, error))
}

/// Whether a JPEG has no end-of-image marker after its first scan begins. Before that, a
/// thumbnail may have one of its own; inside a scan, no data byte looks like a marker.
fn is_cut_off(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some([0xff, marker]) = bytes.get(at..at + 2) {
        if *marker == 0xda {
            let scan = &bytes[at + 2..];
            return !scan.windows(2).rev().any(|pair| pair == [0xff, 0xd9]);
        }
        // Fill bytes before a marker are allowed.
        if *marker == 0xff {
            at += 1;
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
            return true;
        };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    true
}
