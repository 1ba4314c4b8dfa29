//! What is known about a data set without opening an image.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The three parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    Train,
    Val,
    Test,
}

impl Split {
    /// All splits, in the order of their indices.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// `train`, `val` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Split {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A class: the name that goes into prompts and the id by which other data sets refer to it.
///
/// Ids are unique within a data set. Names need not be: ImageNet has two classes "missile".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
    pub id: String,
}

/// Name, classes and sizes of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub name: String,
    pub title: String,
    pub license: String,
    pub source: String,
    /// The data set of which this one is a shifted version, if it is one.
    pub shift_of: Option<String>,
    /// Name of the format, such as `image-folder`.
    pub format: &'static str,
    /// Classes in label order.
    pub classes: Vec<Class>,
    /// Prompt templates, each with exactly one `{}`.
    pub templates: Vec<String>,
    pub(crate) counts: [usize; 3],
}

impl Summary {
    /// Number of images in `split`.
    pub fn len(&self, split: Split) -> usize {
        self.counts[split.index()]
    }

    /// Whether no split has an image.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }
}

/// The name of a folder, for a data set without a name of its own.
pub(crate) fn display_name(path: &Path) -> String {
    // `data/pets/.` and `.` have no file name of their own.
    let resolved = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match resolved
        .file_stem()
        .filter(|_| resolved.is_file())
        .or(resolved.file_name())
    {
        Some(name) => name.to_string_lossy().into_owned(),
        None => "images".to_owned(),
    }
}
