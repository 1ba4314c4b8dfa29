//! Finding a known data set below a data folder, or what is missing there.

use std::path::{Path, PathBuf};

use super::dataset::{DatasetLayout, KnownDataset, plain};

/// The result of looking for a data set below a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatasetLocation {
    /// The folder with its annotations.
    Found(PathBuf),
    /// Files and folders that are missing, each with what it is.
    Missing(Vec<String>),
}

impl KnownDataset {
    /// Looks for the data set below `root`.
    pub fn locate(&self, root: &Path) -> DatasetLocation {
        let folders = self.folders(root);
        for folder in &folders {
            for inside in &self.inside {
                let dir = below(folder, inside);
                if self.is_at(&dir) {
                    return DatasetLocation::Found(dir);
                }
            }
        }
        let folder = folders
            .into_iter()
            .next()
            .unwrap_or_else(|| root.join(&self.names[0]));
        DatasetLocation::Missing(self.missing(&folder))
    }

    /// Whether a data set called `name`, read at `dir`, is this one rather than a user's own folder
    /// of the same name.
    pub(crate) fn is_published(&self, name: &str, dir: &Path) -> bool {
        self.name == name && self.is_at(dir)
    }

    /// Whether `dir` holds this data set's annotations.
    pub(crate) fn is_at(&self, dir: &Path) -> bool {
        match self.layout {
            DatasetLayout::SplitFile | DatasetLayout::Aircraft => {
                dir.join(&self.annotations).is_file()
            }
            DatasetLayout::Imagenet => self
                .images
                .iter()
                .any(|images| below(dir, images).join("train").is_dir()),
            DatasetLayout::ImagenetFolders => self
                .images
                .iter()
                .any(|images| has_wnid_folder(&below(dir, images))),
            DatasetLayout::ImagenetNumbered => {
                self.images.iter().any(|images| below(dir, images).is_dir())
            }
        }
    }

    /// The folder to which the image paths of the annotations in `dir` are relative.
    pub(crate) fn image_folder(&self, dir: &Path) -> PathBuf {
        let candidates = self.images.iter().map(|images| below(dir, images));
        let is_image_folder = |found: &PathBuf| match self.layout {
            DatasetLayout::Imagenet => found.join("train").is_dir(),
            DatasetLayout::ImagenetFolders => has_wnid_folder(found),
            _ => found.is_dir(),
        };
        candidates
            .clone()
            .find(is_image_folder)
            .or_else(|| candidates.into_iter().next())
            .unwrap_or_else(|| dir.to_owned())
    }

    /// Folders below `root` that have one of its names, in the order of the names.
    fn folders(&self, root: &Path) -> Vec<PathBuf> {
        let names = self.names.iter().chain([&self.name]);
        let order: Vec<String> = names.map(|name| plain(name)).collect();
        let mut found: Vec<(usize, PathBuf)> = fs_err::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .filter_map(|path| {
                let name = plain(path.file_name()?.to_str()?);
                Some((order.iter().position(|known| *known == name)?, path))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// What `folder` has to contain.
    fn missing(&self, folder: &Path) -> Vec<String> {
        let images = below(folder, &self.images[0]);
        let annotations = folder.join(&self.annotations);
        let images = match self.layout {
            DatasetLayout::Imagenet => {
                format!("{}/train and val (one folder per WNID)", images.display())
            }
            DatasetLayout::ImagenetFolders => format!("{} (one folder per WNID)", images.display()),
            DatasetLayout::ImagenetNumbered => format!("{} (folders 0 to 999)", images.display()),
            _ => format!("{} (the images)", images.display()),
        };
        vec![
            format!("{} (the annotations)", annotations.display()),
            images,
        ]
    }
}

/// `dir` itself for ".", so that messages show no dot.
fn below(dir: &Path, inside: &str) -> PathBuf {
    if inside == "." {
        dir.to_owned()
    } else {
        dir.join(inside)
    }
}

fn has_wnid_folder(dir: &Path) -> bool {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .any(|name| is_wnid(&name))
}

/// A WordNet id: `n` and eight digits.
pub(crate) fn is_wnid(name: &str) -> bool {
    name.strip_prefix('n')
        .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()))
}
