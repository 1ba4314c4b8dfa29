//! The samples of one tar file, by offset.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use crate::error::DataError;
use crate::listing::{Extent, Shard};
use crate::problems::Problems;

/// Bytes a class number may take.
const MAX_LABEL_BYTES: u64 = 64;
/// Bytes of the empty blocks at the end of a tar file.
const END_BYTES: u64 = 1024;
/// Bytes of a decompressed shard; shards have about one GB.
const MAX_UNPACKED: u64 = 64 << 30;
const IMAGES: [&str; 10] = [
    "jpg", "jpeg", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff", "ppm",
];

/// An image with its class.
pub(super) struct Sample {
    /// Name of the image's entry.
    pub(super) name: String,
    pub(super) label: u32,
    pub(super) image: Extent,
}

#[derive(Default)]
struct PartialSample {
    image: Option<(String, Extent)>,
    label: Option<u32>,
}

/// The samples of a shard, in its order.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Result<Vec<Sample>, DataError> {
    let (mut file, _) = fs_err::File::open(path)?.into_parts();
    let is_compressed = is_compressed(path);
    if is_compressed {
        file = unpack(path, file)?;
    }
    let length = file.metadata()?.len();
    check_end(path, &mut file, length)?;
    let unpacked = is_compressed.then(|| file.try_clone()).transpose()?;
    let shard = Arc::new(Shard {
        path: path.to_owned(),
        unpacked,
    });
    let mut samples: Vec<(String, PartialSample)> = Vec::new();
    let mut index_of: HashMap<String, usize> = HashMap::new();
    let damaged = |error: std::io::Error| {
        DataError::malformed(
            path,
            format!("not a complete tar file ({error}); download it again"),
        )
    };
    let mut archive = Archive::new(file);
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let location = || {
            format!(
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&entry.path_bytes())
            )
        };
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => {
                problems.add("tar entry that is neither a file nor a folder", location());
                continue;
            }
        }
        let Some(name) = inside(&entry.path_bytes()) else {
            problems.add(
                "tar entry with an absolute path, `..` or a name that is not UTF-8",
                location(),
            );
            continue;
        };
        let extent = Extent {
            shard: Arc::clone(&shard),
            offset: entry.raw_file_position(),
            length: entry.size(),
        };
        // Seeking beyond the end of a file is no error.
        if extent
            .offset
            .checked_add(extent.length)
            .is_none_or(|end| end > length)
        {
            let reason = format!("ends inside {name}; download it again");
            return Err(DataError::malformed(path, reason));
        }
        let Some((key, extension)) = key(&name) else {
            continue;
        };
        let index = *index_of.entry(key.to_owned()).or_insert_with(|| {
            samples.push((key.to_owned(), PartialSample::default()));
            samples.len() - 1
        });
        let extension = extension.to_ascii_lowercase();
        let parts = &mut samples[index].1;
        if IMAGES.contains(&extension.as_str()) {
            parts.image = Some((name.clone(), extent));
        } else if extension == "cls" {
            let mut text = String::new();
            let read = (&mut entry).take(MAX_LABEL_BYTES).read_to_string(&mut text);
            match read.ok().and_then(|_| text.trim().parse().ok()) {
                Some(label) => parts.label = Some(label),
                None => {
                    let item = format!("{}: {name} contains `{}`", path.display(), text.trim());
                    problems.add("class that is not a number", item);
                }
            }
        }
    }
    Ok(samples
        .into_iter()
        .filter_map(|(key, parts)| sample(path, &key, parts, problems))
        .collect())
}

/// Whether a shard is compressed by gzip, by its name.
pub(super) fn is_compressed(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".gz") || name.ends_with(".tgz")
}

/// The tar file inside a compressed one, in a temporary file that is gone when the data set is closed.
fn unpack(path: &Path, file: File) -> Result<File, DataError> {
    let mut unpacked = tempfile::tempfile()?;
    let inside = MultiGzDecoder::new(std::io::BufReader::new(file));
    let copied = std::io::copy(&mut inside.take(MAX_UNPACKED + 1), &mut unpacked);
    let copied = copied.map_err(|error| {
        let reason = format!("cannot be decompressed ({error}); download it again");
        DataError::malformed(path, reason)
    })?;
    if copied > MAX_UNPACKED {
        let reason = format!("more than the limit of {MAX_UNPACKED} bytes when decompressed");
        return Err(DataError::malformed(path, reason));
    }
    unpacked.seek(SeekFrom::Start(0))?;
    Ok(unpacked)
}

/// A tar file ends with empty blocks; one that was cut off between two entries does not.
fn check_end(path: &Path, file: &mut File, length: u64) -> Result<(), DataError> {
    let mut end = [1; END_BYTES as usize];
    if length >= END_BYTES {
        file.seek(SeekFrom::Start(length - END_BYTES))?;
        file.read_exact(&mut end)?;
        file.rewind()?;
    }
    if end.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    let reason = "incomplete: the end marker of a tar file is missing; download it again";
    Err(DataError::malformed(path, reason))
}

/// The sample, or `None` and a problem where its image or class is missing.
fn sample(path: &Path, key: &str, parts: PartialSample, problems: &mut Problems) -> Option<Sample> {
    let location = || format!("{}: {key}", path.display());
    match (parts.image, parts.label) {
        (Some((name, image)), Some(label)) => Some(Sample { name, label, image }),
        (Some(_), None) => {
            problems.add("sample without a class (.cls)", location());
            None
        }
        (None, Some(_)) => {
            problems.add("sample without an image (jpg, png or webp)", location());
            None
        }
        // Files of other kinds belong to no sample.
        (None, None) => None,
    }
}

/// The name of an entry, if it stays inside the folder to which it would be unpacked.
fn inside(bytes: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(bytes).ok()?;
    let name = name.strip_prefix("./").unwrap_or(name);
    let stays = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays && !name.is_empty()).then(|| name.to_owned())
}

/// The key of a sample and the extension, split at the first dot of the file name.
fn key(name: &str) -> Option<(&str, &str)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = file + name[file..].find('.')?;
    Some((&name[..dot], &name[dot + 1..]))
}
