//! A data set with its options, as a suite names it.

use harness_data::{OpenOptions, RandomSplit, Templates};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A data set with its options. In a suite also just its name or path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatasetEntry {
    pub name: String,
    /// Name in the report; the name by default.
    pub label: String,
    pub templates: Option<TemplateChoice>,
    pub allow_missing: bool,
    pub split: Option<SplitShares>,
    pub shift_of: Option<String>,
    pub label_base: u32,
}

/// The long form of a data set's entry.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DatasetOptions {
    /// Name or path of the data set, see `harness list datasets`.
    #[schemars(length(min = 1))]
    name: String,
    /// Name in the report, needed if a data set is listed twice; the name by default.
    #[schemars(length(min = 1))]
    label: Option<String>,
    /// Prompt templates in place of the data set's own.
    templates: Option<TemplateChoice>,
    /// Whether missing and unreadable images are left out rather than an error; the
    /// report then says how many.
    #[serde(default)]
    allow_missing: bool,
    /// How images are divided, for data that does not say itself.
    split: Option<SplitShares>,
    /// The data set whose modules are tested here.
    #[schemars(length(min = 1))]
    shift_of: Option<String>,
    /// The label of the first class in the data set's files: 1 where labels begin at 1.
    #[serde(default)]
    label_base: u32,
}

/// Templates by name, or in the suite itself.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum TemplateChoice {
    Named(Ensemble),
    /// Each with one `{}` for the class name.
    Own(#[schemars(length(min = 1))] Vec<String>),
}

/// Templates by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ensemble {
    /// The data set's own.
    Custom,
    /// The seven of OpenAI's that did best on ImageNet.
    #[serde(rename = "imagenet-7")]
    Seven,
    /// All eighty of OpenAI's for ImageNet.
    #[serde(rename = "imagenet-80")]
    Eighty,
}

/// Shares of each class, drawn by seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitShares {
    /// Seed of the division; it does not change with the seeds of the suite.
    pub seed: u64,
    /// Share that goes to the validation split.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub val: f64,
    /// Share that goes to the test split.
    #[schemars(range(min = 0, max = 1))]
    pub test: f64,
}

impl DatasetEntry {
    /// A data set without options.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: name.to_owned(),
            templates: None,
            allow_missing: false,
            split: None,
            shift_of: None,
            label_base: 0,
        }
    }

    /// How the data set is to be read.
    pub fn opening(&self) -> OpenOptions {
        OpenOptions {
            templates: self.templates.as_ref().and_then(TemplateChoice::templates),
            allow_missing: self.allow_missing,
            random_split: self
                .split
                .map(|SplitShares { seed, val, test }| RandomSplit { seed, val, test }),
            shift_of: self.shift_of.clone(),
            label_base: self.label_base,
            ..OpenOptions::default()
        }
    }
}

impl TemplateChoice {
    fn templates(&self) -> Option<Templates> {
        let ensemble = |name: &str| Some(Templates::Ensemble(name.to_owned()));
        match self {
            Self::Named(Ensemble::Custom) => None,
            Self::Named(Ensemble::Seven) => ensemble("imagenet-7"),
            Self::Named(Ensemble::Eighty) => ensemble("imagenet-80"),
            Self::Own(templates) => Some(Templates::Own(templates.clone())),
        }
    }
}

impl Serialize for TemplateChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => name.serialize(serializer),
            Self::Own(templates) => templates.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TemplateChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> de::Visitor<'de> for Choice {
            type Value = TemplateChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`custom`, `imagenet-7`, `imagenet-80` or a list of templates")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<TemplateChoice, E> {
                let name = Ensemble::deserialize(de::value::StrDeserializer::new(name))?;
                Ok(TemplateChoice::Named(name))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<TemplateChoice, A::Error> {
                let list = Vec::deserialize(de::value::SeqAccessDeserializer::new(list))?;
                Ok(TemplateChoice::Own(list))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

impl<'de> Deserialize<'de> for DatasetEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrOptions;

        impl<'de> de::Visitor<'de> for NameOrOptions {
            type Value = DatasetEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a data set's name or a mapping with its name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<DatasetEntry, E> {
                Ok(DatasetEntry::named(name))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<DatasetEntry, A::Error> {
                let options =
                    DatasetOptions::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(DatasetEntry {
                    label: options.label.unwrap_or_else(|| options.name.clone()),
                    name: options.name,
                    templates: options.templates,
                    allow_missing: options.allow_missing,
                    split: options.split,
                    shift_of: options.shift_of,
                    label_base: options.label_base,
                })
            }
        }

        deserializer.deserialize_any(NameOrOptions)
    }
}

impl JsonSchema for DatasetEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DatasetEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<DatasetOptions>();
        schemars::json_schema!({
            "description": "A data set: its name or path, or these with options.",
            "anyOf": [{ "type": "string", "minLength": 1 }, options],
        })
    }
}

/// The protocol whose order of draws is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Train before val: CoOp and everything built on it.
    #[default]
    Coop,
    /// Val before train.
    ClipLora,
}

impl From<Sampler> for harness_data::Sampler {
    fn from(sampler: Sampler) -> Self {
        match sampler {
            Sampler::Coop => Self::Coop,
            Sampler::ClipLora => Self::ClipLora,
        }
    }
}
