//! Image folders: `root/{train,val,test}/<class>/<image>`, or `root/<class>/<image>` with a random
//! split.
//!
//! Classes are the folders of `train/` in byte order of their names, and so are images. The folder
//! name is the class id; with spaces for `_` it is the class name. `val/` may be missing. Images in
//! folders below a class folder are of that class.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::format::directory::{DirectoryEntry, FORMATS, is_image, sorted};
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::random_split::random_split;
use crate::summary::{Class, Split, display_name};

const TEMPLATE: &str = "a photo of a {}.";
/// Folders inside a class folder in which images are looked for to recognise the format.
const MOST_NESTED: usize = 3;

/// A folder per split.
pub(crate) struct FolderFormat;

/// A folder per class, without splits.
pub(crate) struct UndividedFolderFormat;

impl Format for FolderFormat {
    fn matches(&self, dir: &Path) -> bool {
        dir.join(Split::Train.as_str()).is_dir() && dir.join(Split::Test.as_str()).is_dir()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        if request.options.random_split.is_some() {
            problems.add(
                "unneeded random split",
                "the data set has train/ and test/ folders",
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
                        "class folder that is not in train/",
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
            && entries(dir).any(|class| class.is_dir() && has_image(&class, MOST_NESTED))
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let mut listing = listing(dir, "image-folder");
        let mut items = Vec::new();
        for (label, entry) in (0..).zip(class_folders(dir, problems)?) {
            listing.classes.push(class(&entry.name));
            items.extend(images(&entry.path, &entry.name, label, problems)?);
        }
        listing.items = random_split(
            items,
            &listing.classes,
            request.options.random_split,
            problems,
        );
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

fn class_folders(root: &Path, problems: &mut Problems) -> Result<Vec<DirectoryEntry>, DataError> {
    let mut folders = Vec::new();
    for entry in sorted(root, problems)? {
        if entry.path.is_dir() {
            folders.push(entry);
        } else {
            let item = entry.path.display().to_string();
            problems.add("file among the class folders", item);
        }
    }
    Ok(folders)
}

/// The images of one class; their paths begin with `inside`.
fn images(
    dir: &Path,
    inside: &str,
    label: u32,
    problems: &mut Problems,
) -> Result<Vec<Item>, DataError> {
    let mut items = Vec::new();
    for entry in sorted(dir, problems)? {
        if entry.path.is_dir() {
            // As torchvision reads it.
            let kind = "folder inside a class folder, whose images are of that class";
            problems.note(kind, entry.path.display().to_string());
            let below = format!("{inside}/{}", entry.name);
            items.extend(images(&entry.path, &below, label, problems)?);
        } else if is_image(&entry.name) {
            let path = format!("{inside}/{}", entry.name);
            items.push(Item { path, label });
        } else {
            // Skipping an image in an unknown format would silently shrink the test set.
            let item = format!("{} (not {FORMATS})", entry.path.display());
            problems.add("file of an unknown format (move it elsewhere)", item);
        }
    }
    Ok(items)
}

/// Whether a folder has an image, at most `depth` folders down.
fn has_image(dir: &Path, depth: usize) -> bool {
    entries(dir).any(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        match path.is_dir() {
            true => depth > 0 && has_image(&path, depth - 1),
            false => name.is_some_and(is_image),
        }
    })
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}
