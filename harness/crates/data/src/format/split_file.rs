//! The split files of CoOp's protocol: `{"train": [[path, label, name], ...], "val", "test"}`.
//!
//! The pickles in a `split_fewshot` folder beside them are not read: they contain absolute paths
//! of the machine that wrote them, and a pickle runs code when it is loaded. The same few-shot
//! split is sampled again from the seed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::decode::read_bounded;
use crate::error::DataError;
use crate::format::contract::{Format, Request};
use crate::known::{DatasetLayout, KnownDataset};
use crate::listing::{Item, Listing, Pixels};
use crate::options::OpenOptions;
use crate::problems::Problems;
use crate::relative::PathReader;
use crate::summary::{Class, Split, display_name};
use crate::text::without_bom;

const MAX_BYTES: u64 = 1 << 30;
const PREFIX: &str = "split_zhou_";
const TEMPLATE: &str = "a photo of a {}.";

pub(crate) struct SplitFileFormat;

impl Format for SplitFileFormat {
    fn matches(&self, path: &Path) -> bool {
        !split_files(path).is_empty()
    }

    fn list(&self, request: Request<'_>, problems: &mut Problems) -> Result<Listing, DataError> {
        let dir = request.path;
        let path = match (request.known, &split_files(dir)[..]) {
            (Some(known), _) => dir.join(&known.annotations),
            (None, [only]) => only.clone(),
            (None, several) => {
                let reason = format!("expected one split file, found {}", several.len());
                return Err(DataError::malformed(dir, reason));
            }
        };
        let known = request.known.or_else(|| known_by(&path));
        let file = SplitFile::parse(&path, known, request.options, problems)?;
        let classes = file.class_names.iter().map(|id| Class {
            name: known
                .and_then(|known| known.rename.get(id))
                .unwrap_or(id)
                .replace('_', " "),
            id: id.clone(),
        });
        let items = |split| {
            let items = file.split(split).iter();
            items
                .map(|item| Item {
                    path: item.path.clone(),
                    label: item.label,
                })
                .collect()
        };
        let template = known.map_or(TEMPLATE, |known| &known.template);
        Ok(Listing {
            name: known.map_or_else(|| display_name(dir), |known| known.name.clone()),
            title: known.map_or_else(|| display_name(dir), |known| known.title.clone()),
            license: "not stated".to_owned(),
            source: dir.display().to_string(),
            shift_of: None,
            format: "split-file",
            classes: classes.collect(),
            templates: vec![template.to_owned()],
            items: Split::ALL.map(items),
            pixels: Pixels::Files(image_folder(dir, known, &file)),
            origin: path,
        })
    }
}

/// The split files in a folder, in byte order.
fn split_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(PREFIX) && name.ends_with(".json")
        })
        .collect();
    found.sort();
    found
}

fn known_by(path: &Path) -> Option<&'static KnownDataset> {
    let name = path.file_name()?.to_str()?;
    KnownDataset::all()
        .iter()
        .find(|known| known.layout == DatasetLayout::SplitFile && known.annotations == name)
}

/// The folder to which the paths are relative; for a split file that is not known, the first of
/// the usual folders that contains the first image.
fn image_folder(dir: &Path, known: Option<&KnownDataset>, file: &SplitFile) -> PathBuf {
    if let Some(known) = known {
        return known.image_folder(dir);
    }
    let first = Split::ALL
        .into_iter()
        .find_map(|split| file.split(split).first());
    let folders = [dir.join("images"), dir.to_owned()];
    let has_first = |folder: &&PathBuf| first.is_some_and(|item| folder.join(&item.path).exists());
    folders
        .iter()
        .find(has_first)
        .unwrap_or(&folders[0])
        .clone()
}

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
    /// Relative to the image folder of the data set, and always inside it.
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
    /// The file has another form; the labels of the training list are not 0..C; a label is missing
    /// from training or has two names; a path leads outside the image folder.
    pub fn read(path: &Path) -> Result<SplitFile, DataError> {
        let mut problems = Problems::default();
        let file = SplitFile::parse(path, None, &OpenOptions::default(), &mut problems)?;
        problems.into_result(path)?;
        Ok(file)
    }

    /// Reads a split file without the classes that the protocol of `known` leaves out.
    fn parse(
        path: &Path,
        known: Option<&KnownDataset>,
        options: &OpenOptions,
        problems: &mut Problems,
    ) -> Result<SplitFile, DataError> {
        let bytes = read_bounded(path, MAX_BYTES)?;
        let mut raw: Raw = serde_json::from_slice(without_bom(&bytes))
            .map_err(|error| DataError::malformed(path, format!("not a split file: {error}")))?;
        for (split, list) in raw.lists_mut() {
            for (index, (path, label, _)) in list.iter_mut().enumerate() {
                let location = || format!("{split}[{index}] `{path}`");
                if let Some(counted) = options.label(*label, location, problems) {
                    *label = counted;
                }
            }
        }
        if let Some(known) = known {
            raw.drop_classes(&known.drop);
        }
        let dir = path.parent().unwrap_or(Path::new(""));
        let images = known.map_or_else(|| dir.join("images"), |known| known.image_folder(dir));
        let paths = PathReader::new(&[&images, dir]);
        let names = class_names(&raw, problems);
        let mut splits = [const { Vec::new() }; 3];
        for (split, items) in raw.lists() {
            for (index, (path, label, name)) in items.iter().enumerate() {
                let location = format!("{split}[{index}]");
                let names = names.get(label).map(|known| (*known, name.as_str()));
                check_label(&location, names, *label, problems);
                let location = || format!("{location} `{path}`");
                if let Some(path) = paths.read(path, &location, problems) {
                    let label = *label;
                    splits[split.index()].push(SplitItem { path, label });
                }
            }
        }
        let [train, val, test] = splits;
        Ok(SplitFile {
            class_names: names.into_values().map(str::to_owned).collect(),
            train,
            val,
            test,
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
}

impl Raw {
    /// Removes classes by name and renumbers the others in their order.
    fn drop_classes(&mut self, names: &[String]) {
        let lists = [&mut self.train, &mut self.val, &mut self.test];
        let dropped: Vec<u32> = lists
            .iter()
            .flat_map(|list| list.iter())
            .filter(|(_, _, name)| names.contains(name))
            .map(|(_, label, _)| *label)
            .collect();
        if dropped.is_empty() {
            return;
        }
        let mut left: Vec<u32> = lists
            .iter()
            .flat_map(|list| list.iter())
            .map(|(_, label, _)| *label)
            .filter(|label| !dropped.contains(label))
            .collect();
        left.sort_unstable();
        left.dedup();
        let renumbered: HashMap<u32, u32> = left.into_iter().zip(0..).collect();
        for list in lists {
            list.retain_mut(|(_, label, _)| match renumbered.get(label) {
                Some(new) => {
                    *label = *new;
                    true
                }
                None => false,
            });
        }
    }

    fn lists_mut(&mut self) -> [(Split, &mut Vec<RawItem>); 3] {
        [
            (Split::Train, &mut self.train),
            (Split::Val, &mut self.val),
            (Split::Test, &mut self.test),
        ]
    }

    fn lists(&self) -> [(Split, &[RawItem]); 3] {
        [
            (Split::Train, &self.train),
            (Split::Val, &self.val),
            (Split::Test, &self.test),
        ]
    }
}

/// The name of each label where the training list first uses it.
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
            let item = match (expected, label) {
                (0, 1) => {
                    "0 (labels begin at 1: write `label_base: 1` in the suite's entry)".to_owned()
                }
                _ => format!("{expected} (the next label is {label})"),
            };
            problems.add("gap in the train labels", item);
            break;
        }
    }
    names
}

/// `names` are the name in training and the one in this item, if training has the label.
fn check_label(location: &str, names: Option<(&str, &str)>, label: u32, problems: &mut Problems) {
    match names {
        None => problems.add(
            "label that is not in train",
            format!("{location} = {label}"),
        ),
        Some((known, stated)) if known != stated => problems.add(
            "two names for one label",
            format!("{location}: label {label} is `{known}` and `{stated}`"),
        ),
        Some(_) => {}
    }
}
