//! `recipe:` of a suite and of a method: a word, or a mapping with changes.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

/// Which recipe changes are made to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeBase {
    /// Each method's own, as its authors published it.
    #[default]
    Own,
    /// One for all: SGD 2e-3, 50 epochs, batch 32, context "a photo of a".
    Common,
}

/// A recipe: whose, and what is changed in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecipeChoice {
    /// None: as the suite says, which says `own` unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<RecipeBase>,
    #[serde(flatten)]
    pub changes: Map<String, Value>,
}

/// The key of a recipe that names its base and is no part of the recipe itself.
pub(crate) const BASE: &str = "base";

/// The mapping's form.
#[derive(Deserialize, JsonSchema)]
struct Changes {
    /// `own`: each method's own recipe; `common`: one for all. The other keys are
    /// changes to it.
    #[serde(default)]
    base: Option<RecipeBase>,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

impl<'de> Deserialize<'de> for RecipeChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> de::Visitor<'de> for Choice {
            type Value = RecipeChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`own`, `common` or a mapping with changes")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RecipeChoice, E> {
                let base = RecipeBase::deserialize(de::value::StrDeserializer::new(word))?;
                Ok(RecipeChoice {
                    base: Some(base),
                    changes: Map::new(),
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RecipeChoice, A::Error> {
                let map = de::value::MapAccessDeserializer::new(map);
                let Changes { base, changes } = Changes::deserialize(map)?;
                Ok(RecipeChoice { base, changes })
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

impl JsonSchema for RecipeChoice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecipeChoice".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let changes = generator.subschema_for::<Changes>();
        schemars::json_schema!({
            "description": "`own`, `common`, or changes to one of them.",
            "anyOf": [{ "type": "string", "enum": ["own", "common"] }, changes],
        })
    }
}
