//! The image-folder format: `root/{train,val,test}/<class>/<image>`.
//!
//! Classes are the folders of `train/` in byte order of their names, images likewise; a name's `_`
//! becomes a space in the class name, and the folder name is the class id. `val/` may be missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::DataError;
use crate::dataset::{ImageSource, Parts};
use crate::decode::{decode, probe};
use crate::format::registry::Format;
use crate::problems::Problems;
use crate::summary::{Class, Split, Summary};
use crate::validate::{Content, check};

const TEMPLATE: &str = "a photo of a {}.";
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];
/// What file managers leave behind; dot files are passed over too.
const LITTER: [&str; 2] = ["Thumbs.db", "desktop.ini"];

pub(crate) struct FolderFormat;

impl Format for FolderFormat {
    fn matches(&self, dir: &Path) -> bool {
        dir.join(Split::Train.as_str()).is_dir() && dir.join(Split::Test.as_str()).is_dir()
    }

    fn summary(&self, dir: &Path) -> Result<Summary, DataError> {
        let mut problems = Problems::default();
        let listing = Listing::read(dir, &mut problems)?;
        problems.into_result(dir)?;
        Ok(listing.summary(dir))
    }

    fn open(&self, dir: &Path) -> Result<Parts, DataError> {
        let mut problems = Problems::default();
        let listing = Listing::read(dir, &mut problems)?;
        let summary = listing.summary(dir);
        let mut content = [const { Vec::new() }; 3];
        for split in Split::ALL {
            for path in &listing.paths[split.index()] {
                match probe(path) {
                    Ok(found) => content[split.index()].push(found.sha256),
                    Err(error) => problems.add("unreadable image", error.to_string()),
                }
            }
        }
        problems.into_result(dir)?;
        Ok(Parts {
            summary,
            labels: listing.labels,
            content: content.clone(),
            images: Box::new(Files {
                paths: listing.paths,
                sha256: content,
            }),
        })
    }
}

/// The image files with the digests they had when the data set was opened.
struct Files {
    paths: [Vec<PathBuf>; 3],
    sha256: [Vec<String>; 3],
}

impl ImageSource for Files {
    fn image(&self, split: Split, index: usize) -> Result<RgbImage, DataError> {
        let part = split.index();
        let image = decode(&self.paths[part][index], &self.sha256[part][index])?;
        Ok(image.into_rgb8())
    }
}

/// The files by split, with their labels.
struct Listing {
    classes: Vec<Class>,
    paths: [Vec<PathBuf>; 3],
    labels: [Vec<u32>; 3],
}

impl Listing {
    fn read(dir: &Path, problems: &mut Problems) -> Result<Listing, DataError> {
        let mut listing = Listing {
            classes: Vec::new(),
            paths: [const { Vec::new() }; 3],
            labels: [const { Vec::new() }; 3],
        };
        let mut labels = HashMap::new();
        for split in Split::ALL {
            let root = dir.join(split.as_str());
            if split == Split::Val && !root.exists() {
                continue;
            }
            for entry in sorted(&root, problems)? {
                if !entry.path.is_dir() {
                    let which = entry.path.display().to_string();
                    problems.add("file where a class folder was expected", which);
                    continue;
                }
                if split == Split::Train {
                    labels.insert(entry.name.clone(), listing.classes.len() as u32);
                    listing.classes.push(Class {
                        name: entry.name.replace('_', " "),
                        id: entry.name.clone(),
                    });
                }
                match labels.get(&entry.name) {
                    Some(&label) => listing.read_class(&entry.path, split, label, problems)?,
                    None => problems.add(
                        "class folder that train/ lacks",
                        entry.path.display().to_string(),
                    ),
                }
            }
        }
        let summary = listing.summary(dir);
        let content = Content {
            name: &summary.name,
            shifted: false,
            classes: &summary.classes,
            templates: &summary.templates,
            labels: listing.labels.each_ref().map(Vec::as_slice),
        };
        check(&content, problems);
        Ok(listing)
    }

    fn read_class(
        &mut self,
        dir: &Path,
        split: Split,
        label: u32,
        problems: &mut Problems,
    ) -> Result<(), DataError> {
        for entry in sorted(dir, problems)? {
            let extension = entry.path.extension().and_then(|ext| ext.to_str());
            let known = extension.is_some_and(|ext| {
                EXTENSIONS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(ext))
            });
            if known {
                self.paths[split.index()].push(entry.path);
                self.labels[split.index()].push(label);
            } else {
                // Passing over a picture in an unknown format would shrink the test set in silence.
                let what = "entry that is not a png, jpg, webp, bmp or gif file (move it away)";
                problems.add(what, entry.path.display().to_string());
            }
        }
        Ok(())
    }

    fn summary(&self, dir: &Path) -> Summary {
        // `data/pets/.` and `.` have no file name of their own.
        let resolved = fs_err::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
        let name = match resolved.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => "images".to_owned(),
        };
        Summary {
            title: name.clone(),
            name,
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            shift_of: None,
            format: "image-folder",
            classes: self.classes.clone(),
            templates: vec![TEMPLATE.to_owned()],
            counts: self.labels.each_ref().map(Vec::len),
        }
    }
}

struct Entry {
    name: String,
    path: PathBuf,
}

/// The entries of `dir` in byte order of their names, which every file system agrees on.
fn sorted(dir: &Path, problems: &mut Problems) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    for entry in fs_err::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            problems.add("name that is not UTF-8", path.display().to_string());
            continue;
        };
        if !name.starts_with('.') && !LITTER.contains(&name) {
            let name = name.to_owned();
            entries.push(Entry { name, path });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
