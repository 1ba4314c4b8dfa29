//! The split files of CoOp's protocol: `{"train": [[path, label, name], ...], "val", "test"}`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::DataError;
use crate::decode::read_bounded;
use crate::problems::Problems;
use crate::relative::stays_inside;
use crate::summary::Split;

const MAX_BYTES: u64 = 1 << 30;

/// A checked split file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitFile {
    /// Class names in label order, verbatim: `_` is not yet a space.
    pub class_names: Vec<String>,
    pub train: Vec<SplitItem>,
    pub val: Vec<SplitItem>,
    pub test: Vec<SplitItem>,
}

/// One image of a split file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitItem {
    /// Relative to the image folder of the data set; never leaves it.
    pub path: String,
    /// Below the number of classes.
    pub label: u32,
}

/// Path, label and class name.
type RawItem = (String, u32, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    train: Vec<RawItem>,
    val: Vec<RawItem>,
    test: Vec<RawItem>,
}

impl SplitFile {
    /// Reads and checks a split file.
    ///
    /// # Errors
    /// A file that is not of this form; labels of the training list that are not 0..C; a label
    /// that is missing from training or has two names; a path that leaves the image folder.
    pub fn read(path: &Path) -> Result<SplitFile, DataError> {
        let bytes = read_bounded(path, MAX_BYTES)?;
        let raw: Raw = serde_json::from_slice(&bytes)
            .map_err(|error| DataError::malformed(path, format!("not a split file: {error}")))?;
        let mut problems = Problems::default();
        let names = class_names(&raw, &mut problems);
        for (split, items) in raw.lists() {
            for (index, (relative, label, name)) in items.iter().enumerate() {
                check_item(
                    &format!("{split}[{index}]"),
                    relative,
                    names.get(label).map(|known| (*known, name.as_str())),
                    *label,
                    &mut problems,
                );
            }
        }
        problems.into_result(path)?;
        Ok(SplitFile {
            class_names: names.into_values().map(str::to_owned).collect(),
            train: items(&raw.train),
            val: items(&raw.val),
            test: items(&raw.test),
        })
    }

    /// The images of one split.
    pub fn split(&self, split: Split) -> &[SplitItem] {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }

    /// The labels of one split, in file order.
    pub fn labels(&self, split: Split) -> Vec<u32> {
        self.split(split).iter().map(|item| item.label).collect()
    }

    /// Checks that every image exists below `images`.
    ///
    /// # Errors
    /// One error that counts the missing files and names the first ten.
    pub fn check_files(&self, images: &Path) -> Result<(), DataError> {
        let mut problems = Problems::default();
        for split in Split::ALL {
            for item in self.split(split) {
                if !images.join(&item.path).is_file() {
                    problems.add("missing image", item.path.as_str());
                }
            }
        }
        problems.into_result(images)
    }
}

impl Raw {
    fn lists(&self) -> [(Split, &[RawItem]); 3] {
        [
            (Split::Train, &self.train),
            (Split::Val, &self.val),
            (Split::Test, &self.test),
        ]
    }
}

fn items(raw: &[RawItem]) -> Vec<SplitItem> {
    raw.iter()
        .map(|(path, label, _)| SplitItem {
            path: path.clone(),
            label: *label,
        })
        .collect()
}

/// The name each label has where the training list first uses it.
fn class_names<'a>(raw: &'a Raw, problems: &mut Problems) -> BTreeMap<u32, &'a str> {
    let mut names = BTreeMap::new();
    for (_, label, name) in &raw.train {
        names.entry(*label).or_insert(name.as_str());
    }
    if names.is_empty() {
        problems.add("empty list", "train");
    }
    for (expected, &label) in (0_u32..).zip(names.keys()) {
        if label != expected {
            let which = format!("{expected} (the next label in use is {label})");
            problems.add("train labels with a gap", which);
            break;
        }
    }
    names
}

/// `names` is the known and the stated name of the label, if training has it.
fn check_item(
    place: &str,
    path: &str,
    names: Option<(&str, &str)>,
    label: u32,
    problems: &mut Problems,
) {
    match names {
        None => problems.add("label that train lacks", format!("{place} = {label}")),
        Some((known, stated)) if known != stated => problems.add(
            "two names for one label",
            format!("{place}: label {label} is `{known}` and `{stated}`"),
        ),
        Some(_) => {}
    }
    if !stays_inside(path) {
        problems.add(
            "path that leaves the image folder",
            format!("{place} `{path}`"),
        );
    }
}
