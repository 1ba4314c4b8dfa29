//! Image folders: `root/{train,val,test}/<class>/<image>`, or `root/<class>/<image>` to be
//! divided by seed.
//!
//! Classes are the folders of `train/` in byte order of their names, images likewise; a name's `_`
//! becomes a space in the class name, and the folder name is the class id. `val/` may be missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::division::divide;
use crate::format::registry::{Format, Request};
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::summary::{Class, Split, display_name};

const TEMPLATE: &str = "a photo of a {}.";
const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];
/// What file managers leave behind; dot files are passed over too.
const LITTER: [&str; 2] = ["Thumbs.db", "desktop.ini"];

/// With a folder for each split.
pub(crate) struct FolderFormat;

/// With a folder for each class alone.
pub(crate) struct UndividedFolderFormat;

impl Format for FolderFormat {
    fn matches(&self, dir: &Path) -> bool {
        dir.join(Split::Train.as_str()).is_dir() && dir.join(Split::Test.as_str()).is_dir()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        if request.opening.division.is_some() {
            problems.add(
                "split by seed",
                "it has train/ and test/ folders of its own",
            );
        }
        let mut listing = listing(dir, "image-folder");
        let mut labels = HashMap::new();
        for split in Split::ALL {
            let root = dir.join(split.as_str());
            if split == Split::Val && !root.exists() {
                continue;
            }
            for entry in class_folders(&root, problems)? {
                if split == Split::Train {
                    labels.insert(entry.name.clone(), listing.classes.len() as u32);
                    listing.classes.push(class(&entry.name));
                }
                match labels.get(&entry.name) {
                    Some(&label) => {
                        let inside = format!("{split}/{}", entry.name);
                        let found = images(&entry.path, &inside, label, problems)?;
                        listing.items[split.index()].extend(found);
                    }
                    None => problems.add(
                        "class folder that train/ lacks",
                        entry.path.display().to_string(),
                    ),
                }
            }
        }
        Ok(listing)
    }
}

impl Format for UndividedFolderFormat {
    fn matches(&self, dir: &Path) -> bool {
        let is_split = |split: Split| dir.join(split.as_str()).exists();
        !Split::ALL.into_iter().any(is_split)
            && entries(dir).any(|class| {
                let mut files =
                    entries(&class).filter_map(|file| file.file_name()?.to_str().map(is_image));
                files.any(|is_image| is_image)
            })
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let mut listing = listing(dir, "image-folder");
        let mut items = Vec::new();
        for (label, entry) in (0..).zip(class_folders(dir, problems)?) {
            listing.classes.push(class(&entry.name));
            items.extend(images(&entry.path, &entry.name, label, problems)?);
        }
        listing.items = divide(items, request.opening.division, problems);
        Ok(listing)
    }
}

fn listing(dir: &Path, format: &'static str) -> Listing {
    let name = display_name(dir);
    Listing {
        title: name.clone(),
        name,
        license: "not stated".to_owned(),
        source: dir.display().to_string(),
        shift_of: None,
        format,
        classes: Vec::new(),
        templates: vec![TEMPLATE.to_owned()],
        items: [const { Vec::new() }; 3],
        pixels: Pixels::Files(dir.to_owned()),
        origin: dir.to_owned(),
    }
}

fn class(folder: &str) -> Class {
    Class {
        name: folder.replace('_', " "),
        id: folder.to_owned(),
    }
}

fn class_folders(root: &Path, problems: &mut Problems) -> Result<Vec<Entry>, DataError> {
    let mut folders = Vec::new();
    for entry in sorted(root, problems)? {
        if entry.path.is_dir() {
            folders.push(entry);
        } else {
            let which = entry.path.display().to_string();
            problems.add("file where a class folder was expected", which);
        }
    }
    Ok(folders)
}

/// The images of one class, their paths beginning with `inside`.
fn images(
    dir: &Path,
    inside: &str,
    label: u32,
    problems: &mut Problems,
) -> Result<Vec<Item>, DataError> {
    let mut items = Vec::new();
    for entry in sorted(dir, problems)? {
        if is_image(&entry.name) {
            let path = format!("{inside}/{}", entry.name);
            items.push(Item { path, label });
        } else {
            // Passing over a picture in an unknown format would shrink the test set in silence.
            let what = "entry that is not a png, jpg, webp, bmp or gif file (move it away)";
            problems.add(what, entry.path.display().to_string());
        }
    }
    Ok(items)
}

/// Whether a file name has the ending of an image that can be read.
pub(super) fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|ext| ext.to_str());
    extension.is_some_and(|ext| {
        EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ext))
    })
}

/// Something in a folder.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// The entries of `dir` in byte order of their names, which every file system agrees on.
pub(super) fn sorted(dir: &Path, problems: &mut Problems) -> Result<Vec<Entry>, DataError> {
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

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}
