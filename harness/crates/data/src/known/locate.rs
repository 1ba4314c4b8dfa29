//! Where below a data folder a known data set lies, or what is missing there.

use std::path::{Path, PathBuf};

use super::entry::{Known, Layout, plain};

/// What was found of a data set below a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// The folder with its annotations.
    At(PathBuf),
    /// Files and folders that would have to be there, each with what it is.
    Missing(Vec<String>),
}

impl Known {
    /// Looks for the data set below `root`.
    pub fn locate(&self, root: &Path) -> Located {
        let folders = self.folders(root);
        for folder in &folders {
            for inside in &self.inside {
                let dir = place(folder, inside);
                if self.is_at(&dir) {
                    return Located::At(dir);
                }
            }
        }
        let folder = folders
            .into_iter()
            .next()
            .unwrap_or_else(|| root.join(&self.names[0]));
        Located::Missing(self.missing(&folder))
    }

    /// Whether `dir` holds this data set's annotations.
    pub(crate) fn is_at(&self, dir: &Path) -> bool {
        match self.layout {
            Layout::SplitFile | Layout::Aircraft => dir.join(&self.annotations).is_file(),
            Layout::Imagenet => self
                .images
                .iter()
                .any(|images| place(dir, images).join("train").is_dir()),
            Layout::ImagenetFolders => self
                .images
                .iter()
                .any(|images| has_wnid_folder(&place(dir, images))),
            Layout::ImagenetNumbered => {
                self.images.iter().any(|images| place(dir, images).is_dir())
            }
        }
    }

    /// The folder from which the annotations in `dir` count their paths.
    pub(crate) fn image_folder(&self, dir: &Path) -> PathBuf {
        let places = self.images.iter().map(|images| place(dir, images));
        let fits = |found: &PathBuf| match self.layout {
            Layout::Imagenet => found.join("train").is_dir(),
            Layout::ImagenetFolders => has_wnid_folder(found),
            _ => found.is_dir(),
        };
        places
            .clone()
            .find(fits)
            .or_else(|| places.into_iter().next())
            .unwrap_or_else(|| dir.to_owned())
    }

    /// Folders below `root` that go by one of the names, in the order of the names.
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

    /// What `folder` would have to hold.
    fn missing(&self, folder: &Path) -> Vec<String> {
        let images = place(folder, &self.images[0]);
        let annotations = folder.join(&self.annotations);
        let images = match self.layout {
            Layout::Imagenet => format!(
                "{}/train and val (a folder for each WNID)",
                images.display()
            ),
            Layout::ImagenetFolders => format!("{} (a folder for each WNID)", images.display()),
            Layout::ImagenetNumbered => format!("{} (folders 0 to 999)", images.display()),
            _ => format!("{} (the images)", images.display()),
        };
        vec![
            format!("{} (the annotations)", annotations.display()),
            images,
        ]
    }
}

/// `dir` itself for ".", so that messages show no dot.
fn place(dir: &Path, inside: &str) -> PathBuf {
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
