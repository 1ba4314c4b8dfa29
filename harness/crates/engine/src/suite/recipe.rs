//! `recipe:` of a suite and of a method: a word, or a mapping with changes.

use harness_abi::wire::RecipeChanges;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value, json};

/// The recipe that changes apply to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeBase {
    /// Each method's own, as published.
    #[default]
    Own,
    /// The same for all: SGD 2e-3, 50 epochs, batch 32, context "a photo of a".
    Common,
}

/// A base recipe and changes to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecipeChoice {
    /// None: the suite's, by default `own`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<RecipeBase>,
    #[serde(flatten)]
    pub changes: RecipeChanges,
}

/// The key that names the base and is no field of a recipe.
const BASE: &str = "base";

/// Ranges that `Recipe::with` holds each field to, in JSON Schema's words: the check of the
/// suite's shape reports them at their line and column.
const RANGES: [(&str, &str, u64); 9] = [
    ("lr", "exclusiveMinimum", 0),
    ("warmup_lr", "minimum", 0),
    ("min_lr", "minimum", 0),
    ("weight_decay", "minimum", 0),
    ("eps", "exclusiveMinimum", 0),
    ("momentum", "minimum", 0),
    ("momentum", "exclusiveMaximum", 1),
    ("batch", "minimum", 1),
    ("steps_per_shot", "minimum", 1),
];

/// Adds the ranges to the fields of a recipe's mapping.
fn limit(fields: &mut Map<String, Value>) {
    for (field, rule, bound) in RANGES {
        fields[field][rule] = json!(bound);
    }
    let betas = &mut fields["betas"]["items"];
    betas["minimum"] = json!(0);
    betas["exclusiveMaximum"] = json!(1);
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
                    changes: RecipeChanges::default(),
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RecipeChoice, A::Error> {
                let map = de::value::MapAccessDeserializer::new(map);
                let mut fields = Map::deserialize(map)?;
                let base = fields.remove(BASE).unwrap_or(Value::Null);
                Ok(RecipeChoice {
                    base: Deserialize::deserialize(base).map_err(de::Error::custom)?,
                    changes: Deserialize::deserialize(Value::Object(fields))
                        .map_err(de::Error::custom)?,
                })
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
        let base = generator.subschema_for::<Option<RecipeBase>>();
        let mut mapping = RecipeChanges::json_schema(generator);
        mapping.insert(
            "description".to_owned(),
            json!("`base` is `own`, each method's own recipe, or `common`, one for all; the other\nkeys change it."),
        );
        if let Some(Value::Object(fields)) = mapping.get_mut("properties") {
            limit(fields);
            fields.insert(BASE.to_owned(), base.into());
        }
        schemars::json_schema!({
            "description": "`own`, `common`, or changes to one of them.",
            "anyOf": [{ "type": "string", "enum": ["own", "common"] }, mapping],
        })
    }
}
