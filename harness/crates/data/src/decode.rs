//! Reading image files with bounds on what they may cost.

use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};

use crate::DataError;
use crate::digest::sha256_hex;

/// Pixels an image may have; a few kilobytes of PNG can claim far more.
pub(crate) const MAX_PIXELS: u64 = 1 << 26;
/// Bytes an image file may have.
const MAX_FILE_BYTES: u64 = 512 << 20;
/// Bytes a decoder may allocate: [`MAX_PIXELS`] with four 16-bit channels.
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

/// What is known about an image file without decoding its pixels.
pub(crate) struct Probe {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) sha256: String,
}

/// Hashes an image file and reads its header.
pub(crate) fn probe(path: &Path) -> Result<Probe, DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    let (width, height) = dimensions(path, &bytes)?;
    Ok(Probe {
        width,
        height,
        sha256: sha256_hex(&bytes),
    })
}

/// Decodes an image file that must still have the digest it was probed with.
pub(crate) fn decode(path: &Path, sha256: &str) -> Result<DynamicImage, DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    if sha256_hex(&bytes) != sha256 {
        return Err(DataError::Changed {
            path: path.to_owned(),
        });
    }
    dimensions(path, &bytes)?;
    let mut reader = reader(path, &bytes)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    reader
        .decode()
        .map_err(|error| DataError::image(path, format!("cannot be decoded: {error}")))
}

fn dimensions(path: &Path, bytes: &[u8]) -> Result<(u32, u32), DataError> {
    let (width, height) = reader(path, bytes)?
        .into_dimensions()
        .map_err(|error| DataError::image(path, format!("not a readable image: {error}")))?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        let reason = format!("{width}x{height} pixels, expected 1 to {MAX_PIXELS} in all");
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
