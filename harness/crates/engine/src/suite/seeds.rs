//! The seeds of a suite: one list, or one of splits and one of trainings.

use harness_report::Seeds;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Which seeds a suite runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SuiteSeeds {
    /// Each sets the few-shot split and the training.
    Both(Vec<u64>),
    /// Every split with every training.
    Crossed(SplitsAndTrainings),
}

/// Seeds of few-shot splits and of trainings: each training is done on each split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitsAndTrainings {
    /// Seeds of the few-shot split.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub split: Vec<u64>,
    /// Seeds of initialisation, batch order, dropout and augmented views.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub training: Vec<u64>,
}

impl SuiteSeeds {
    /// The seeds of every cell, in the order of the suite.
    pub fn all(&self) -> Vec<Seeds> {
        match self {
            Self::Both(seeds) => seeds.iter().copied().map(Seeds::from).collect(),
            Self::Crossed(SplitsAndTrainings { split, training }) => {
                let pairs = split.iter().flat_map(|&split| {
                    let trainings = training.iter();
                    trainings.map(move |&training| Seeds { split, training })
                });
                pairs.collect()
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Both(seeds) => seeds.len(),
            Self::Crossed(SplitsAndTrainings { split, training }) => {
                split.len().saturating_mul(training.len())
            }
        }
    }

    /// Whether there are none, as in a suite of modules alone.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

impl Default for SuiteSeeds {
    fn default() -> Self {
        Self::Both(Vec::new())
    }
}

impl From<Vec<u64>> for SuiteSeeds {
    fn from(seeds: Vec<u64>) -> Self {
        Self::Both(seeds)
    }
}

impl<'de> Deserialize<'de> for SuiteSeeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrBoth;

        impl<'de> de::Visitor<'de> for ListOrBoth {
            type Value = SuiteSeeds;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of seeds or a mapping with `split` and `training`")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<SuiteSeeds, A::Error> {
                let list = de::value::SeqAccessDeserializer::new(list);
                Ok(SuiteSeeds::Both(Vec::deserialize(list)?))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SuiteSeeds, A::Error> {
                let map = de::value::MapAccessDeserializer::new(map);
                Ok(SuiteSeeds::Crossed(SplitsAndTrainings::deserialize(map)?))
            }
        }

        deserializer.deserialize_any(ListOrBoth)
    }
}

impl JsonSchema for SuiteSeeds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SuiteSeeds".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut list = Vec::<u64>::json_schema(generator);
        list.insert("minItems".to_owned(), 1.into());
        list.insert("uniqueItems".to_owned(), true.into());
        let both = generator.subschema_for::<SplitsAndTrainings>();
        schemars::json_schema!({
            "description": "Seeds: one list, or one of splits and one of trainings.",
            "anyOf": [list, both],
        })
    }
}
