//! ImageNet and its four shifted test sets: one folder per WNID, names in `classnames.txt`.
//!
//! The WNID is the class id, so classes match across these sets although their labels differ:
//! two classes are named "missile", two "sunglasses", and ImageNet-A and -R number their 200
//! classes from 0. Labels follow the byte order of the folders; ImageNetV2's folders are line
//! numbers of `classnames.txt`.
//!
//! Images of a class are in byte order of their names. CoOp takes them in the order in which its
//! file system lists them, so its few-shot split of ImageNet cannot be reproduced elsewhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::format::directory::{DirectoryEntry, is_image, sorted};
use crate::known::{DatasetLayout, KnownDataset, is_wnid};
use crate::listing::{Item, Listing, Pixels};
use crate::problems::Problems;
use crate::summary::{Class, Split};
use crate::text::lines;

pub(crate) struct ImagenetFormat;

impl Format for ImagenetFormat {
    fn matches(&self, path: &Path) -> bool {
        entry(path).is_some()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let Some(known) = request.known.or_else(|| entry(dir)) else {
            return Err(DataError::UnknownFormat {
                dir: dir.to_owned(),
            });
        };
        let names = names(dir, known)?;
        let images = known.image_folder(dir);
        let reader = Reader { images: &images };
        let mut items = [const { Vec::new() }; 3];
        let classes = match known.layout {
            DatasetLayout::ImagenetNumbered => {
                let classes: Vec<Class> = names.iter().map(class).collect();
                let numbers: Vec<String> = (0..classes.len()).map(|n| n.to_string()).collect();
                items[Split::Test.index()] = reader.split("", &numbers, problems)?;
                classes
            }
            DatasetLayout::Imagenet => {
                let folders = reader.wnids("train", problems)?;
                items[Split::Train.index()] = reader.split("train", &folders, problems)?;
                // Published results test on the official validation images; there is no other
                // validation split.
                items[Split::Test.index()] = reader.split("val", &folders, problems)?;
                of_folders(&folders, &names, problems)
            }
            _ => {
                let folders = reader.wnids("", problems)?;
                items[Split::Test.index()] = reader.split("", &folders, problems)?;
                of_folders(&folders, &names, problems)
            }
        };
        Ok(Listing {
            name: known.name.clone(),
            title: known.title.clone(),
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            shift_of: known.shift_of.clone(),
            format: "imagenet",
            classes,
            templates: vec![known.template.clone()],
            items,
            pixels: Pixels::Files(images),
            origin: dir.to_owned(),
        })
    }
}

/// The known data set whose layout a folder has.
fn entry(dir: &Path) -> Option<&'static KnownDataset> {
    let is_ours = |layout| {
        matches!(
            layout,
            DatasetLayout::Imagenet
                | DatasetLayout::ImagenetFolders
                | DatasetLayout::ImagenetNumbered
        )
    };
    let all = || {
        KnownDataset::all()
            .iter()
            .filter(|known| is_ours(known.layout))
    };
    // A folder of WNIDs alone could be any of the shifted sets.
    let is_in_place = |known: &&KnownDataset| known.is_at(dir) && known.image_folder(dir) != dir;
    let is_bare = |known: &&KnownDataset| {
        known.layout == DatasetLayout::Imagenet
            && known.is_at(dir)
            && dir.join(&known.annotations).exists()
    };
    all().find(is_in_place).or_else(|| all().find(is_bare))
}

/// WNIDs and names in the order of the file, one `n01440764 tench` per line.
fn names(dir: &Path, known: &KnownDataset) -> Result<Vec<(String, String)>, DataError> {
    let own = dir.join(&known.annotations);
    // The shifted sets are often stored without their own copy.
    let beside = dir
        .parent()
        .map(|root| root.join("imagenet").join(&known.annotations));
    let path = match beside {
        Some(beside) if !own.exists() && beside.exists() => beside,
        _ => own,
    };
    let mut names = Vec::new();
    for (index, line) in lines(&path)?.iter().enumerate() {
        match line.split_once(' ') {
            Some((wnid, name)) if is_wnid(wnid) && !name.trim().is_empty() => {
                names.push((wnid.to_owned(), name.trim().to_owned()));
            }
            _ => {
                let reason = format!(
                    "line {}: found `{line}`, expected a WNID, a space and a name (`n01440764 tench`)",
                    index + 1
                );
                return Err(DataError::malformed(&path, reason));
            }
        }
    }
    Ok(names)
}

fn class((wnid, name): &(String, String)) -> Class {
    Class {
        name: name.clone(),
        id: wnid.clone(),
    }
}

fn of_folders(
    folders: &[String],
    names: &[(String, String)],
    problems: &mut Problems,
) -> Vec<Class> {
    let by_wnid: HashMap<&str, &str> = names
        .iter()
        .map(|(wnid, name)| (wnid.as_str(), name.as_str()))
        .collect();
    let mut name = |wnid: &String| match by_wnid.get(wnid.as_str()) {
        Some(name) => (*name).to_owned(),
        None => {
            problems.add("class folder that is not in classnames.txt", wnid.as_str());
            wnid.clone()
        }
    };
    folders
        .iter()
        .map(|wnid| Class {
            name: name(wnid),
            id: wnid.clone(),
        })
        .collect()
}

struct Reader<'a> {
    images: &'a PathBuf,
}

impl Reader<'_> {
    /// The class folders in byte order. Other files, such as README.txt, are ignored.
    fn wnids(&self, below: &str, problems: &mut Problems) -> Result<Vec<String>, DataError> {
        let entries = sorted(&self.images.join(below), problems)?;
        let folders = entries.into_iter().filter(|entry| is_wnid(&entry.name));
        Ok(folders.map(|entry| entry.name).collect())
    }

    /// The images of all classes; the index of a folder in the list is its label.
    fn split(
        &self,
        below: &str,
        folders: &[String],
        problems: &mut Problems,
    ) -> Result<Vec<Item>, DataError> {
        let mut items = Vec::new();
        for (label, folder) in (0_u32..).zip(folders) {
            let inside = if below.is_empty() {
                folder.clone()
            } else {
                format!("{below}/{folder}")
            };
            let dir = self.images.join(&inside);
            if !dir.is_dir() {
                problems.add("missing class folder", dir.display().to_string());
                continue;
            }
            for DirectoryEntry { name, .. } in sorted(&dir, problems)? {
                let path = format!("{inside}/{name}");
                if is_image(&name) {
                    items.push(Item { path, label });
                } else {
                    problems.add("file that is not an image (move it elsewhere)", path);
                }
            }
        }
        Ok(items)
    }
}
