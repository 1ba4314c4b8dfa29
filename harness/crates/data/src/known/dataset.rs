//! The data sets of `datasets.yaml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A data set of the few-shot literature: its names, its layout and what it should hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDataset {
    /// Canonical name, such as `oxford_pets`.
    pub name: String,
    pub title: String,
    /// Other names of the data set and its folder; case and punctuation do not count.
    pub names: Vec<String>,
    pub layout: DatasetLayout,
    /// The annotation file by which its folder is recognised.
    pub annotations: String,
    /// Folders below its own in which the annotations may be.
    #[serde(default = "folder_itself")]
    pub inside: Vec<String>,
    /// Folders, relative to the annotations, to which image paths may be relative.
    pub images: Vec<String>,
    /// Its template in CoOp's CUSTOM_TEMPLATES.
    pub template: String,
    /// The data set of which it is a shifted test set.
    #[serde(default)]
    pub shift_of: Option<String>,
    /// Classes of the annotations that the protocol leaves out.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Class names of the annotations that the protocol spells differently.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    pub sizes: PublishedSizes,
}

/// How a known data set is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetLayout {
    /// CoOp's `split_zhou_*.json`.
    SplitFile,
    /// FGVC's text files.
    Aircraft,
    /// ImageNet's `train` and `val`, one folder per WNID, with `classnames.txt`.
    Imagenet,
    /// Test images only, one folder per WNID.
    ImagenetFolders,
    /// Test images only, in folders `0` to `999` in the order of `classnames.txt`.
    ImagenetNumbered,
}

/// Number of classes and images, as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedSizes {
    pub classes: usize,
    pub train: usize,
    pub val: usize,
    pub test: usize,
    /// Whether the numbers were counted in the split file itself.
    pub verified: bool,
}

fn folder_itself() -> Vec<String> {
    vec![".".to_owned()]
}

static ALL: LazyLock<Vec<KnownDataset>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("datasets.yaml"))
        .expect("datasets.yaml is part of the program, and a test reads it")
});

impl KnownDataset {
    /// Every known data set, in the order of the file.
    pub fn all() -> &'static [KnownDataset] {
        &ALL
    }

    /// The data set with this name; case and punctuation do not count.
    pub fn find(name: &str) -> Option<&'static KnownDataset> {
        let wanted = plain(name);
        KnownDataset::all()
            .iter()
            .find(|known| known.has_name(&wanted))
    }

    /// Whether `wanted`, in the form that [`plain`] gives, is one of its names.
    fn has_name(&self, wanted: &str) -> bool {
        let mut names = self.names.iter().chain([&self.name]);
        names.any(|name| plain(name) == wanted)
    }
}

/// A name without case and punctuation: `Oxford-Pets` and `oxford_pets` are one.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_has_the_fifteen_and_no_name_twice() {
        assert_eq!(KnownDataset::all().len(), 15);
        let mut seen = HashSet::new();
        for known in KnownDataset::all() {
            let names: HashSet<String> = known
                .names
                .iter()
                .chain([&known.name])
                .map(|name| plain(name))
                .collect();
            for name in names {
                assert!(seen.insert(name.clone()), "{name} is used twice");
            }
            assert_eq!(known.template.matches("{}").count(), 1, "{}", known.name);
            assert!(!known.images.is_empty());
            let is_test_only = known.shift_of.is_some();
            assert_eq!(known.sizes.train == 0, is_test_only, "{}", known.name);
            if let Some(base) = &known.shift_of {
                assert!(KnownDataset::find(base).is_some());
            }
        }
    }

    #[test]
    fn case_and_punctuation_do_not_count() {
        for (name, expected) in [
            ("DTD", "dtd"),
            ("OxfordPets", "oxford_pets"),
            ("Flower102", "oxford_flowers"),
            ("imagenet-adversarial", "imagenet-a"),
            ("ImageNet", "imagenet"),
        ] {
            assert_eq!(KnownDataset::find(name).unwrap().name, expected);
        }
        assert!(KnownDataset::find("imagenet-x").is_none());
    }
}
