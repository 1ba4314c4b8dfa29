//! How to read a data set.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::problems::Problems;
use crate::prompts::Templates;

/// What a suite can say about a data set. The default reads it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenOptions {
    /// Name of the known data set whose layout it has; otherwise the layout is detected.
    pub known: Option<String>,
    /// Replaces its own templates.
    pub templates: Option<Templates>,
    /// Whether missing or unreadable images are left out instead of being an error.
    pub allow_missing: bool,
    /// How to split it if it has no splits of its own.
    pub random_split: Option<RandomSplit>,
    /// The data set of which it is a shifted test set; replaces its own statement.
    pub shift_of: Option<String>,
    /// The label of the first class in the data set's files.
    pub label_base: u32,
    /// Folder in which hashes of image files are cached; affects only speed.
    #[serde(with = "harness_store::json_path::optional", default)]
    pub digests: Option<PathBuf>,
    /// Whether to hash every image file again instead of believing `digests`. Workers, who are
    /// told of it in JSON, believe what was hashed before they started.
    #[serde(skip)]
    pub rehash: bool,
}

/// A random split of the images into train, val and test, stratified by class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomSplit {
    pub seed: u64,
    /// Fraction of each class that goes to val.
    pub val: f64,
    /// Fraction of each class that goes to test.
    pub test: f64,
}

impl OpenOptions {
    /// A label of the files, counted from 0; a problem if it is below the first.
    pub(crate) fn label(
        &self,
        stored: u32,
        location: impl FnOnce() -> String,
        problems: &mut Problems,
    ) -> Option<u32> {
        let label = stored.checked_sub(self.label_base);
        if label.is_none() {
            let item = format!(
                "{} = {stored}, label_base is {}",
                location(),
                self.label_base
            );
            problems.add("label below the first", item);
        }
        label
    }
}
