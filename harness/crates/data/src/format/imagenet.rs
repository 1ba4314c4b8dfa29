//! ImageNet and its four shifted test sets: folders named by WNID, names in `classnames.txt`.
//!
//! The WNID is the class id, so that classes are matched across these sets whatever their
//! labels: two classes are named "missile", two "sunglasses", and ImageNet-A and -R number
//! their 200 classes from 0. Labels follow the folders in byte order; ImageNetV2's folders
//! are numbers that count the lines of `classnames.txt`.
//!
//! Images of a class come in byte order of their names. CoOp takes them in the order in which
//! its file system lists them, so that nobody else can draw the images that it drew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::format::folder::{Entry, is_image, sorted};
use crate::format::registry::{Format, Request};
use crate::known::{Known, Layout, is_wnid};
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
            Layout::ImagenetNumbered => {
                let classes: Vec<Class> = names.iter().map(class).collect();
                let numbers: Vec<String> = (0..classes.len()).map(|n| n.to_string()).collect();
                items[Split::Test.index()] = reader.split("", &numbers, problems)?;
                classes
            }
            Layout::Imagenet => {
                let folders = reader.wnids("train", problems)?;
                items[Split::Train.index()] = reader.split("train", &folders, problems)?;
                // The official validation images are the test set of everyone's tables; a
                // validation split there is none.
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
fn entry(dir: &Path) -> Option<&'static Known> {
    let is_ours = |layout| {
        matches!(
            layout,
            Layout::Imagenet | Layout::ImagenetFolders | Layout::ImagenetNumbered
        )
    };
    let all = || Known::all().iter().filter(|known| is_ours(known.layout));
    // A folder of WNIDs alone could be any of the shifted sets.
    let in_place = |known: &&Known| known.is_at(dir) && known.image_folder(dir) != dir;
    let bare = |known: &&Known| {
        known.layout == Layout::Imagenet
            && known.is_at(dir)
            && dir.join(&known.annotations).exists()
    };
    all().find(in_place).or_else(|| all().find(bare))
}

/// WNIDs and names in the order of the file, `n01440764 tench` a line.
fn names(dir: &Path, known: &Known) -> Result<Vec<(String, String)>, DataError> {
    let own = dir.join(&known.annotations);
    // The copies beside the shifted sets are often forgotten.
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
    let name = |wnid: &String| match by_wnid.get(wnid.as_str()) {
        Some(name) => (*name).to_owned(),
        None => {
            problems.add("class folder that classnames.txt lacks", wnid.as_str());
            wnid.clone()
        }
    };
    let mut name = name;
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
    /// The class folders in byte order. Other files, such as README.txt, are passed over.
    fn wnids(&self, below: &str, problems: &mut Problems) -> Result<Vec<String>, DataError> {
        let entries = sorted(&self.images.join(below), problems)?;
        let folders = entries.into_iter().filter(|entry| is_wnid(&entry.name));
        Ok(folders.map(|entry| entry.name).collect())
    }

    /// The images of all classes; the place of a folder in the list is its label.
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
            for Entry { name, .. } in sorted(&dir, problems)? {
                let path = format!("{inside}/{name}");
                if is_image(&name) {
                    items.push(Item { path, label });
                } else {
                    problems.add("file that is not an image (move it away)", path);
                }
            }
        }
        Ok(items)
    }
}
