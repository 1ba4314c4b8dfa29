//! An entry of `datasets.yaml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A data set of the few-shot literature: its names, its layout and what it should hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// What the harness calls it.
    pub name: String,
    pub title: String,
    /// Other names of the data set and its folder; case and punctuation do not count.
    pub names: Vec<String>,
    pub layout: Layout,
    /// The file without which the folder is not this data set.
    pub annotations: String,
    /// Places in the folder where the annotations may lie.
    #[serde(default = "here")]
    pub inside: Vec<String>,
    /// Places beside the annotations from which image paths count.
    pub images: Vec<String>,
    /// Its template in CoOp's CUSTOM_TEMPLATES.
    pub template: String,
    /// The data set of which it is a shifted test set.
    #[serde(default)]
    pub shift_of: Option<String>,
    /// Classes that the protocol leaves out, where the annotations still have them.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Class names that the protocol writes differently, where the annotations do not.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    pub sizes: Sizes,
}

/// How the annotations of a known data set are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// CoOp's `split_zhou_*.json`.
    SplitFile,
    /// FGVC's text files.
    Aircraft,
    /// ImageNet's `train` and `val`, a folder for each WNID, with `classnames.txt`.
    Imagenet,
    /// Test images alone, a folder for each WNID.
    ImagenetFolders,
    /// Test images alone, folders `0` to `999` in the order of `classnames.txt`.
    ImagenetNumbered,
}

/// Classes and images as published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    pub classes: usize,
    pub train: usize,
    pub val: usize,
    pub test: usize,
    /// Whether they were counted in the split file itself.
    pub verified: bool,
}

fn here() -> Vec<String> {
    vec![".".to_owned()]
}

static ALL: LazyLock<Vec<Known>> = LazyLock::new(|| {
    // Part of the program, and read by its tests.
    serde_yaml::from_str(include_str!("datasets.yaml")).unwrap_or_default()
});

impl Known {
    /// Every entry, in the order of the list.
    pub fn all() -> &'static [Known] {
        &ALL
    }

    /// The entry that goes by `name`, whatever its case and punctuation.
    pub fn find(name: &str) -> Option<&'static Known> {
        let wanted = plain(name);
        Known::all().iter().find(|known| known.answers_to(&wanted))
    }

    /// Whether `plain`, a name without case and punctuation, is one of its names.
    pub(super) fn answers_to(&self, wanted: &str) -> bool {
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
        assert_eq!(Known::all().len(), 15);
        let mut seen = HashSet::new();
        for known in Known::all() {
            let names: HashSet<String> = known
                .names
                .iter()
                .chain([&known.name])
                .map(|name| plain(name))
                .collect();
            for name in names {
                assert!(seen.insert(name.clone()), "{name} stands twice");
            }
            assert_eq!(known.template.matches("{}").count(), 1, "{}", known.name);
            assert!(!known.images.is_empty());
            let tested_alone = known.shift_of.is_some();
            assert_eq!(known.sizes.train == 0, tested_alone, "{}", known.name);
            if let Some(base) = &known.shift_of {
                assert!(Known::find(base).is_some());
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
            assert_eq!(Known::find(name).unwrap().name, expected);
        }
        assert!(Known::find("imagenet-x").is_none());
    }
}
