//! The samples of one tar file, by offset.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

use tar::{Archive, EntryType};

use crate::DataError;
use crate::listing::Extent;
use crate::problems::Problems;

/// Bytes a class number may take.
const MAX_LABEL: u64 = 64;
/// Bytes of the empty blocks at the end of a tar file.
const END: u64 = 1024;
const IMAGES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// An image with its class.
pub(super) struct Sample {
    /// Name of the image's entry.
    pub(super) name: String,
    pub(super) label: u32,
    pub(super) image: Extent,
}

#[derive(Default)]
struct Parts {
    image: Option<(String, Extent)>,
    label: Option<u32>,
}

/// The samples of a shard, in its order.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Result<Vec<Sample>, DataError> {
    let mut file = fs_err::File::open(path)?;
    let length = file.metadata()?.len();
    check_end(path, &mut file, length)?;
    let shard = Arc::new(path.to_owned());
    let mut order: Vec<String> = Vec::new();
    let mut samples: HashMap<String, Parts> = HashMap::new();
    let torn = |error: std::io::Error| {
        DataError::malformed(
            path,
            format!("not a whole tar file ({error}); fetch it again"),
        )
    };
    let mut archive = Archive::new(file);
    for entry in archive.entries_with_seek().map_err(torn)? {
        let mut entry = entry.map_err(torn)?;
        let place = || {
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
                problems.add("tar entry that is neither file nor folder", place());
                continue;
            }
        }
        let Some(name) = inside(&entry.path_bytes()) else {
            problems.add(
                "tar entry with an absolute path, `..` or a name that is not UTF-8",
                place(),
            );
            continue;
        };
        let extent = Extent {
            shard: Arc::clone(&shard),
            offset: entry.raw_file_position(),
            length: entry.size(),
        };
        // Seeking goes beyond the end of a file without a word.
        if extent
            .offset
            .checked_add(extent.length)
            .is_none_or(|end| end > length)
        {
            let reason = format!("ends inside {name}; fetch it again");
            return Err(DataError::malformed(path, reason));
        }
        let Some((key, extension)) = key(&name) else {
            continue;
        };
        if !samples.contains_key(key) {
            order.push(key.to_owned());
        }
        let extension = extension.to_ascii_lowercase();
        let parts = samples.entry(key.to_owned()).or_default();
        if IMAGES.contains(&extension.as_str()) {
            parts.image = Some((name.clone(), extent));
        } else if extension == "cls" {
            let mut text = String::new();
            let read = (&mut entry).take(MAX_LABEL).read_to_string(&mut text);
            match read.ok().and_then(|_| text.trim().parse().ok()) {
                Some(label) => parts.label = Some(label),
                None => {
                    let which = format!("{}: {name} holds `{}`", path.display(), text.trim());
                    problems.add("class that is not a number", which);
                }
            }
        }
    }
    Ok(order
        .into_iter()
        .filter_map(|key| {
            let parts = samples.remove(&key)?;
            sample(path, &key, parts, problems)
        })
        .collect())
}

/// A tar file ends with empty blocks; one that was cut between two entries does not.
fn check_end(path: &Path, file: &mut fs_err::File, length: u64) -> Result<(), DataError> {
    let mut end = [1; END as usize];
    if length >= END {
        file.seek(SeekFrom::Start(length - END))?;
        file.read_exact(&mut end)?;
        file.rewind()?;
    }
    if end.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    let reason = "does not end as a tar file does; fetch it again";
    Err(DataError::malformed(path, reason))
}

fn sample(path: &Path, key: &str, parts: Parts, problems: &mut Problems) -> Option<Sample> {
    let place = || format!("{}: {key}", path.display());
    match (parts.image, parts.label) {
        (Some((name, image)), Some(label)) => Some(Sample { name, label, image }),
        (Some(_), None) => {
            problems.add("sample without a class (.cls)", place());
            None
        }
        (None, Some(_)) => {
            problems.add("sample without an image (jpg, png or webp)", place());
            None
        }
        // Other kinds of files beside the samples.
        (None, None) => None,
    }
}

/// The name of an entry, if it stays inside the folder that it would be unpacked to.
fn inside(bytes: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(bytes).ok()?;
    let name = name.strip_prefix("./").unwrap_or(name);
    let stays = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays && !name.is_empty()).then(|| name.to_owned())
}

/// What samples are told apart by, and the rest: split at the first dot of the file name.
fn key(name: &str) -> Option<(&str, &str)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = file + name[file..].find('.')?;
    Some((&name[..dot], &name[dot + 1..]))
}
