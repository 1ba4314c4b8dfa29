//! Files of modules, as a suite names them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Module files with options. In a suite also just the pattern of their names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModuleEntry {
    /// Pattern of file names, relative to the suite.
    pub path: String,
    /// The data set they are tested on; by default the one in a file's header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    pub allow_other_source: bool,
}

/// The long form of an entry.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ModuleOptions {
    /// Pattern of file names, relative to the suite, such as `prod/*.safetensors`.
    #[schemars(length(min = 1))]
    path: String,
    /// The data set they are tested on; by default the one in a file's header.
    #[schemars(length(min = 1))]
    dataset: Option<String>,
    /// Whether a source other than the backbone that a module was trained on is accepted.
    #[serde(default)]
    allow_other_source: bool,
}

impl<'de> Deserialize<'de> for ModuleEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathOrOptions;

        impl<'de> de::Visitor<'de> for PathOrOptions {
            type Value = ModuleEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a pattern of file names or a mapping with its path")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<ModuleEntry, E> {
                Ok(ModuleEntry {
                    path: path.to_owned(),
                    dataset: None,
                    allow_other_source: false,
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ModuleEntry, A::Error> {
                let ModuleOptions {
                    path,
                    dataset,
                    allow_other_source,
                } = ModuleOptions::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ModuleEntry {
                    path,
                    dataset,
                    allow_other_source,
                })
            }
        }

        deserializer.deserialize_any(PathOrOptions)
    }
}

impl JsonSchema for ModuleEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModuleEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<ModuleOptions>();
        schemars::json_schema!({
            "description": "Module files: a pattern of their names, or a pattern with options.",
            "anyOf": [{ "type": "string", "minLength": 1 }, options],
        })
    }
}
