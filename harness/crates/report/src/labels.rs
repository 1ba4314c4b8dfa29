//! The true class of every test image, written as runs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Class indices of the test images, in the data set's order.
///
/// A file holds runs of equal classes, `class` or `class*images`, with a space between:
/// `0*30 1*28 0` is thirty images of class 0, 28 of class 1, and one more of class 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Labels {
    classes: Vec<u32>,
}

/// Most images that text may stand for, so that a short file cannot ask for much memory.
const MOST: usize = 100_000_000;

/// Text that is no list of runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    #[error("a run of labels {0:?}: expected a class such as `3` or a run such as `3*20`")]
    Run(String),
    #[error("labels of more than {MOST} images")]
    TooMany,
}

impl Labels {
    /// The classes, one an image.
    pub fn as_slice(&self) -> &[u32] {
        &self.classes
    }
}

impl From<Vec<u32>> for Labels {
    fn from(classes: Vec<u32>) -> Self {
        Self { classes }
    }
}

impl From<Labels> for String {
    fn from(labels: Labels) -> Self {
        let runs = labels.classes.chunk_by(|a, b| a == b);
        let runs = runs.filter_map(|run| match run {
            [class] => Some(class.to_string()),
            [class, ..] => Some(format!("{class}*{}", run.len())),
            [] => None,
        });
        runs.collect::<Vec<_>>().join(" ")
    }
}

impl TryFrom<String> for Labels {
    type Error = LabelsError;

    fn try_from(text: String) -> Result<Self, LabelsError> {
        let mut classes = Vec::new();
        for run in text.split_ascii_whitespace() {
            let (class, images) = run.split_once('*').unwrap_or((run, "1"));
            let wrong = |_| LabelsError::Run(run.chars().take(40).collect());
            let class: u32 = class.parse().map_err(wrong)?;
            let images: usize = images.parse().map_err(wrong)?;
            if images > MOST - classes.len() {
                return Err(LabelsError::TooMany);
            }
            classes.resize(classes.len() + images, class);
        }
        Ok(Self { classes })
    }
}

impl JsonSchema for Labels {
    fn schema_name() -> Cow<'static, str> {
        "Labels".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Class index of each test image in the data set's order, as runs \
                            `class` or `class*images` with a space between.",
            "type": "string",
            "pattern": "^([0-9]+(\\*[0-9]+)?( [0-9]+(\\*[0-9]+)?)*)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_are_short() {
        let labels = Labels::from(vec![0, 0, 0, 7, 1, 1]);
        assert_eq!(String::from(labels), "0*3 7 1*2");
    }

    #[test]
    fn bad_text_is_named() {
        for text in ["a", "1*", "*2", "-1", "1*2*3", "4294967296"] {
            let error = Labels::try_from(String::from(text)).unwrap_err();
            assert_eq!(error, LabelsError::Run(text.into()));
        }
        let huge = Labels::try_from(String::from("0*100000000 1"));
        assert_eq!(huge.unwrap_err(), LabelsError::TooMany);
    }

    proptest! {
        #[test]
        fn text_round_trips(classes in prop::collection::vec(0u32..4, 0..60)) {
            let labels = Labels::from(classes);
            let back = Labels::try_from(String::from(labels.clone())).unwrap();
            prop_assert_eq!(back, labels);
        }
    }
}
