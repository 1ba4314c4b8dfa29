//! The annotations of a data set without its images.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::{Request, list};
use crate::listing::{Listing, Pixels};
use crate::options::OpenOptions;
use crate::problems::Problems;
use crate::sampling::{FewShotSplit, Sampler, few_shot};
use crate::summary::Split;

/// Paths and labels of each split, as the annotation files give them.
pub struct Annotations {
    listing: Listing,
    path: PathBuf,
}

impl Annotations {
    /// Reads the annotations at `path`. The images may be missing.
    ///
    /// # Errors
    /// Unknown format, or one error that counts and names everything that is wrong in them.
    pub fn read(path: &Path, options: &OpenOptions) -> Result<Annotations, DataError> {
        let mut problems = Problems::default();
        let listing = list(Request::new(path, options), &mut problems)?;
        problems.into_result(&listing.origin)?;
        Ok(Annotations {
            listing,
            path: path.to_owned(),
        })
    }

    /// The few-shot split of all classes.
    pub fn few_shot(&self, shots: usize, seed: u64, sampler: Sampler) -> FewShotSplit {
        let [train, val, _] = self.listing.labels();
        few_shot(&train, &val, shots, seed, sampler)
    }

    /// The path of an image, relative to [`Annotations::image_folder`].
    pub fn path(&self, split: Split, index: usize) -> Option<&str> {
        let item = self.listing.items[split.index()].get(index)?;
        Some(&item.path)
    }

    /// The folder to which paths are relative.
    pub fn image_folder(&self) -> &Path {
        match &self.listing.pixels {
            Pixels::Files(base) => base,
            _ => &self.path,
        }
    }

    /// CoOp's folder of pickled few-shot splits, if there is one. It is never read.
    pub fn unread_pickles(&self) -> Option<PathBuf> {
        let folder = self.path.join("split_fewshot");
        folder.is_dir().then_some(folder)
    }
}
