//! The annotations of a data set, for those who need no image.

use std::path::{Path, PathBuf};

use crate::DataError;
use crate::format::Request;
use crate::listing::{Listing, Pixels};
use crate::opening::Opening;
use crate::problems::Problems;
use crate::sampling::{Picks, Sampler, few_shot};
use crate::summary::Split;

/// Paths and labels by split, as annotation files give them.
pub struct Annotations {
    listing: Listing,
    path: PathBuf,
}

impl Annotations {
    /// Reads the annotations at `path`. No image need be there.
    ///
    /// # Errors
    /// Unknown format, or one error that counts and names all that is wrong in them.
    pub fn read(path: &Path, opening: &Opening) -> Result<Annotations, DataError> {
        let mut problems = Problems::default();
        let listing = Request::new(path, opening).list(&mut problems)?;
        problems.into_result(&listing.origin)?;
        Ok(Annotations {
            listing,
            path: path.to_owned(),
        })
    }

    /// The few-shot draw of all classes.
    pub fn few_shot(&self, shots: usize, seed: u64, sampler: Sampler) -> Picks {
        let [train, val, _] = self.listing.labels();
        few_shot(&train, &val, shots, seed, sampler)
    }

    /// The path of an image, relative to [`Annotations::image_folder`].
    pub fn path(&self, split: Split, index: usize) -> Option<&str> {
        let item = self.listing.items[split.index()].get(index)?;
        Some(&item.path)
    }

    /// The folder from which paths count.
    pub fn image_folder(&self) -> &Path {
        match &self.listing.pixels {
            Pixels::Files(base) => base,
            _ => &self.path,
        }
    }

    /// The folder of CoOp's pickled draws, which is not read, if there is one.
    pub fn unread_pickles(&self) -> Option<PathBuf> {
        let folder = self.path.join("split_fewshot");
        folder.is_dir().then_some(folder)
    }
}
