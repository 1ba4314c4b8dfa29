//! From annotations to images: which exist, and what identifies their bytes.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use image::RgbImage;
use rayon::prelude::*;

use crate::dataset::{ImageSource, Parts};
use crate::decode::{MAX_FILE_BYTES, decode, probe, read_bounded, to_rgb};
use crate::error::DataError;
use crate::listing::{Extent, Item, Listing, Pixels};
use crate::options::OpenOptions;
use crate::problems::{MISSING, Problems, UNREADABLE};
use crate::summary::Split;
use harness_store::{FileDigests, Stamp};

/// Above this many images in a split, names and sizes identify them instead of hashes: reading all
/// of ImageNet's training images takes longer than training on a few of them.
const MAX_HASHED_IMAGES: usize = 200_000;

/// The images of a listing without those that are missing or unreadable, which are counted where
/// `options` allows them and problems otherwise.
pub(crate) fn resolve(
    path: &Path,
    mut listing: Listing,
    options: &OpenOptions,
    problems: &mut Problems,
) -> Result<Parts, DataError> {
    let mut cache = FileDigests::open(options.digests.as_deref(), path, options.rehash);
    let mut content = [const { Vec::new() }; 3];
    let mut missing = 0;
    for split in Split::ALL {
        let found = identities(&listing, split, &cache);
        let keep: Vec<bool> = found.iter().map(Result::is_ok).collect();
        for (item, found) in listing.items[split.index()].iter().zip(found) {
            match found {
                Ok(identity) => {
                    cache.remember(identity.remember);
                    content[split.index()].push(identity.name);
                }
                Err(problem) => {
                    missing += 1;
                    if !options.allow_missing {
                        problems.add(problem.kind(), problem.item(&item.path));
                    }
                }
            }
        }
        listing.retain(split, &keep);
    }
    cache.save();
    if missing > 0 && options.allow_missing {
        // What is left must still be a data set.
        listing.check(problems);
    }
    Ok(Parts {
        labels: listing.labels(),
        summary: listing.summary(),
        images: source(listing, &content),
        content,
        missing,
    })
}

/// What identifies the bytes of an image.
struct Identity {
    name: String,
    remember: Option<(String, Stamp, String)>,
}

/// Why an image cannot be used.
enum ImageProblem {
    Missing,
    Unreadable(DataError),
}

impl ImageProblem {
    fn kind(&self) -> &'static str {
        match self {
            ImageProblem::Missing => MISSING,
            ImageProblem::Unreadable(_) => UNREADABLE,
        }
    }

    fn item(&self, path: &str) -> String {
        match self {
            ImageProblem::Missing => path.to_owned(),
            ImageProblem::Unreadable(error) => error.to_string(),
        }
    }
}

impl From<DataError> for ImageProblem {
    fn from(error: DataError) -> Self {
        match &error {
            DataError::Io(io) if io.kind() == ErrorKind::NotFound => ImageProblem::Missing,
            _ => ImageProblem::Unreadable(error),
        }
    }
}

impl From<std::io::Error> for ImageProblem {
    fn from(error: std::io::Error) -> Self {
        ImageProblem::from(DataError::Io(error))
    }
}

fn identities(
    listing: &Listing,
    split: Split,
    cache: &FileDigests,
) -> Vec<Result<Identity, ImageProblem>> {
    let items = &listing.items[split.index()];
    let is_hashed = items.len() <= MAX_HASHED_IMAGES;
    let at = |index: usize| match &listing.pixels {
        Pixels::Files(base) => of_file(&items[index], base, is_hashed, cache),
        Pixels::Shards(extents) => of_extent(&extents[split.index()][index], is_hashed, cache),
        // Such a format resolves its images itself.
        Pixels::Custom => Err(ImageProblem::Missing),
    };
    (0..items.len()).into_par_iter().map(at).collect()
}

fn of_file(
    item: &Item,
    base: &Path,
    is_hashed: bool,
    cache: &FileDigests,
) -> Result<Identity, ImageProblem> {
    let path = base.join(&item.path);
    let metadata = fs_err::metadata(&path)?;
    if !is_hashed {
        return Ok(Identity {
            name: format!("{} {}", item.path, metadata.len()),
            remember: None,
        });
    }
    let stamp = Stamp::of(&metadata);
    let sha256 = || Ok(probe(&path, &read_bounded(&path, MAX_FILE_BYTES)?)?.sha256);
    cached_or(cache, item.path.clone(), stamp, sha256)
}

fn of_extent(
    extent: &Extent,
    is_hashed: bool,
    cache: &FileDigests,
) -> Result<Identity, ImageProblem> {
    let key = extent.name();
    if !is_hashed {
        return Ok(Identity {
            name: format!("{key} {}", extent.length),
            remember: None,
        });
    }
    let stamp = Stamp::of(&fs_err::metadata(&extent.shard.path)?);
    let sha256 = || Ok(probe(Path::new(&key), &extent.read()?)?.sha256);
    cached_or(cache, key.clone(), stamp, sha256)
}

fn cached_or(
    cache: &FileDigests,
    key: String,
    stamp: Option<Stamp>,
    sha256: impl FnOnce() -> Result<String, ImageProblem>,
) -> Result<Identity, ImageProblem> {
    if let Some(name) = stamp.and_then(|stamp| cache.get(&key, stamp)) {
        let name = name.to_owned();
        return Ok(Identity {
            name,
            remember: None,
        });
    }
    let name = sha256()?;
    let remember = stamp.map(|stamp| (key, stamp, name.clone()));
    Ok(Identity { name, remember })
}

impl Extent {
    /// Folder and file name of the shard, and the offset.
    fn name(&self) -> String {
        let path = &self.shard.path;
        let shard = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().and_then(Path::file_name);
        let folder = folder.unwrap_or_default().to_string_lossy();
        format!("{folder}/{shard}@{}", self.offset)
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, DataError> {
        let most = self.length.min(MAX_FILE_BYTES);
        let mut bytes = Vec::new();
        match &self.shard.unpacked {
            // Without moving the position that other threads share.
            Some(file) => {
                bytes.resize(usize::try_from(most).unwrap_or_default(), 0);
                file.read_exact_at(&mut bytes, self.offset)?;
            }
            None => {
                let mut file = fs_err::File::open(&self.shard.path)?;
                file.seek(SeekFrom::Start(self.offset))?;
                file.take(most).read_to_end(&mut bytes)?;
            }
        }
        if bytes.len() as u64 == self.length {
            return Ok(bytes);
        }
        let reason = format!("{} is incomplete or too large", self.name());
        Err(DataError::malformed(&self.shard.path, reason))
    }
}

/// Images that are read one at a time, with the hashes they had when the data set was opened.
struct Images {
    location: Location,
    paths: [Vec<String>; 3],
    /// `None` where names identify the images.
    sha256: [Option<Vec<String>>; 3],
}

enum Location {
    Files(PathBuf),
    Extents([Vec<Extent>; 3]),
}

fn source(listing: Listing, content: &[Vec<String>; 3]) -> Box<dyn ImageSource> {
    let Listing { items, pixels, .. } = listing;
    let location = match pixels {
        Pixels::Files(base) => Location::Files(base),
        Pixels::Shards(extents) => Location::Extents(extents),
        Pixels::Custom => Location::Extents([const { Vec::new() }; 3]),
    };
    let is_hashed = |names: &Vec<String>| names.len() <= MAX_HASHED_IMAGES;
    let sha256 = content
        .each_ref()
        .map(|names| is_hashed(names).then(|| names.clone()));
    let paths = items.map(|items| items.into_iter().map(|item| item.path).collect());
    Box::new(Images {
        location,
        paths,
        sha256,
    })
}

impl ImageSource for Images {
    fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError> {
        let part = split.index();
        let (path, bytes) = match &self.location {
            Location::Files(base) => {
                let path = base.join(&self.paths[part][index]);
                let bytes = read_bounded(&path, MAX_FILE_BYTES)?;
                (path, bytes)
            }
            Location::Extents(extents) => {
                let extent = &extents[part][index];
                let name = extent.shard.path.with_file_name(extent.name());
                (name, extent.read()?)
            }
        };
        let sha256 = self.sha256[part]
            .as_ref()
            .map(|names| names[index].as_str());
        Ok(to_rgb(decode(&path, &bytes, sha256)?))
    }
    fn name(&self, split: Split, index: usize) -> String {
        self.paths[split.index()][index].clone()
    }
}
