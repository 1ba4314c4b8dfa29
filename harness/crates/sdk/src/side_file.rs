//! A file that a configuration names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

/// A text file that a suite names by its path, relative to the suite. The harness reads it: what
/// reaches the method, on a target as well, and what a cell's key covers is the text, not the path.
///
/// Use it as a field of the configuration itself, as [`Option`] where it can be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SideFile {
    name: String,
    text: String,
}

impl SideFile {
    /// A file with a name for messages.
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Its name without folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<'de> Deserialize<'de> for SideFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Read { name: String, text: String },
            Path(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Read { name, text } => Ok(Self { name, text }),
            Form::Path(path) => Err(D::Error::custom(format!(
                "the file {path} was not read: this version of harness does not know files of \
                 configurations"
            ))),
        }
    }
}

/// In a suite it is a path.
impl JsonSchema for SideFile {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SideFile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "harness-file"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Config {
        words: Option<SideFile>,
    }

    #[test]
    fn the_schema_of_an_optional_file_says_that_it_is_one() {
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let words = &schema["properties"]["words"];
        assert_eq!(words["format"], "harness-file");
        assert_eq!(words["type"], serde_json::json!(["string", "null"]));
    }

    #[test]
    fn a_path_that_nobody_read_is_an_error_that_names_it() {
        let error = serde_json::from_str::<SideFile>("\"words.json\"").unwrap_err();
        assert!(error.to_string().contains("words.json"), "{error}");
        let file = SideFile::new("a.json", "{}");
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<SideFile>(&json).unwrap(), file);
    }
}
