//! The seeds of a cell, and what several of them are replicates of.

use std::collections::BTreeMap;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::stats::mean;

/// The seeds that a module was trained with: `2` where one number sets both, `1/2` elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seeds {
    /// Of the few-shot split.
    pub split: u64,
    /// Of initialisation, batch order, dropout and augmented views.
    pub training: u64,
}

impl From<u64> for Seeds {
    fn from(both: u64) -> Self {
        Self {
            split: both,
            training: both,
        }
    }
}

impl Seeds {
    fn is_one_number(self) -> bool {
        self.split == self.training
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_one_number() {
            true => self.split.fmt(f),
            false => write!(f, "{}/{}", self.split, self.training),
        }
    }
}

impl FromStr for Seeds {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (split, training) = text.split_once('/').unwrap_or((text, text));
        Ok(Self {
            split: split.parse()?,
            training: training.parse()?,
        })
    }
}

impl Serialize for Seeds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_one_number() {
            return serializer.serialize_u64(self.split);
        }
        let mut both = serializer.serialize_struct("Seeds", 2)?;
        both.serialize_field("split", &self.split)?;
        both.serialize_field("training", &self.training)?;
        both.end()
    }
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SplitAndTraining {
    /// Seed of the few-shot split.
    split: u64,
    /// Seed of initialisation, batch order, dropout and augmented views.
    training: u64,
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrBoth;

        impl<'de> Visitor<'de> for NumberOrBoth {
            type Value = Seeds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a seed or a mapping with `split` and `training`")
            }

            fn visit_u64<E: de::Error>(self, both: u64) -> Result<Seeds, E> {
                Ok(both.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Seeds, A::Error> {
                let SplitAndTraining { split, training } =
                    SplitAndTraining::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Seeds { split, training })
            }
        }

        deserializer.deserialize_any(NumberOrBoth)
    }
}

impl JsonSchema for Seeds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seeds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = u64::json_schema(generator);
        let both = generator.subschema_for::<SplitAndTraining>();
        json_schema!({
            "description": "Seeds of the few-shot split and of the training: one number where both are the same.",
            "anyOf": [number, both],
        })
    }
}

/// What the cells of a method on a data set are replicates of, and how many there are.
///
/// Trainings on one split are no independent replicates of the split: where there are several
/// splits, these are the replicates, each the mean of its trainings. With one split its
/// trainings are, and what is found holds for that split only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicates {
    /// Seeds that set split and training at once.
    Seeds(usize),
    /// Splits.
    Splits(usize),
    /// Trainings on one split.
    Trainings(usize),
}

impl Replicates {
    /// Of the seeds of all cells.
    pub fn of(seeds: impl IntoIterator<Item = Seeds>) -> Self {
        let all: Vec<Seeds> = seeds.into_iter().collect();
        let is_plain = all.len() == 1 || all.iter().all(|seeds| seeds.is_one_number());
        let replicates = replicates(all.iter().map(|seeds| (*seeds, seeds.split)));
        let count = replicates.len();
        let splits = replicates.iter().flatten().min() != replicates.iter().flatten().max();
        match (is_plain, splits) {
            (true, _) => Self::Seeds(count),
            (false, true) => Self::Splits(count),
            (false, false) => Self::Trainings(count),
        }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::Seeds(count) | Self::Splits(count) | Self::Trainings(count) => count,
        }
    }

    /// What several of them are called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Seeds(_) => "seeds",
            Self::Splits(_) => "splits",
            Self::Trainings(_) => "training seeds",
        }
    }

    /// Whether all of them are trainings on one split.
    pub fn is_one_split(self) -> bool {
        matches!(self, Self::Trainings(_))
    }
}

/// Items by replicate, in ascending order of the seeds: those of a split together or, of a
/// single split, each on its own.
pub fn replicates<T>(items: impl IntoIterator<Item = (Seeds, T)>) -> Vec<Vec<T>> {
    let mut items: Vec<(Seeds, T)> = items.into_iter().collect();
    items.sort_by_key(|(seeds, _)| *seeds);
    let mut splits: BTreeMap<u64, Vec<T>> = BTreeMap::new();
    for (seeds, item) in items {
        splits.entry(seeds.split).or_default().push(item);
    }
    if splits.len() > 1 {
        return splits.into_values().collect();
    }
    let trainings = splits.into_values().flatten();
    trainings.map(|item| vec![item]).collect()
}

/// The mean of each replicate.
pub fn replicate_means(numbers: impl IntoIterator<Item = (Seeds, f64)>) -> Vec<f64> {
    let replicates = replicates(numbers);
    replicates.iter().filter_map(|own| mean(own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(all: &[&str]) -> Vec<Seeds> {
        all.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn one_number_is_written_as_one_number() {
        for (text, json) in [("2", "2"), ("1/2", r#"{"split":1,"training":2}"#)] {
            let found: Seeds = text.parse().unwrap();
            assert_eq!(found.to_string(), text);
            assert_eq!(serde_json::to_string(&found).unwrap(), json);
            assert_eq!(serde_json::from_str::<Seeds>(json).unwrap(), found);
        }
        assert_eq!("3/3".parse(), Ok(Seeds::from(3)));
        for wrong in ["", "1/", "/1", "1/2/3", "-1"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
        for wrong in ["-1", "1.5", "\"1\"", "{\"split\":1}", "[1,2]"] {
            assert!(serde_json::from_str::<Seeds>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn splits_are_the_replicates_where_there_are_several() {
        let of = |all: &[&str]| Replicates::of(seeds(all));
        assert_eq!(of(&["1", "2", "3"]), Replicates::Seeds(3));
        assert_eq!(of(&["1/2"]), Replicates::Seeds(1));
        assert_eq!(of(&["1", "1/2", "2/1", "2"]), Replicates::Splits(2));
        assert_eq!(of(&["1/3", "2/3"]), Replicates::Splits(2));
        assert_eq!(of(&["1", "1/2", "1/3"]), Replicates::Trainings(3));
        assert_eq!(of(&[]), Replicates::Seeds(0));
        let numbers = seeds(&["2", "1", "1/2", "2/1"]).into_iter();
        let means = replicate_means(numbers.zip([8.0, 1.0, 3.0, 4.0]));
        assert_eq!(means, [2.0, 6.0]);
    }
}
