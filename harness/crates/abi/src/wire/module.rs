//! The header of a module file: what a module is and where it comes from.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Class, Recipe, RecipeError};

/// Metadata of a module file, under the key `harness` of its safetensors header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleHeader {
    /// `harness-module/1`.
    pub format: String,
    /// Name of the plugin that trained it.
    pub plugin: String,
    /// Version of that plugin.
    pub plugin_version: String,
    /// Id of the method.
    pub method: String,
    /// Configuration of the method.
    pub config: serde_json::Value,
    /// Backbone it was trained on.
    pub source: String,
    /// Data set it was trained on.
    pub dataset: String,
    /// Class ids, in the order of any tensor with a class dimension.
    pub classes: Vec<String>,
    /// Seed of the training.
    pub seed: u64,
    /// What identifies the inputs of the training. The host writes it; absent in files
    /// of earlier versions and in converted ones. Since ABI 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ModuleOrigin>,
}

/// The inputs of a training: enough to find the source again and to repeat the training
/// on another backbone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleOrigin {
    /// SHA-256 of the plugin's library.
    pub plugin_sha256: String,
    /// SHA-256 over the files of the source backbone.
    pub source_sha256: String,
    /// SHA-256 over the data set: items, labels, class names, templates, pixels.
    pub dataset_sha256: String,
    /// Names of the classes, in the order of [`ModuleHeader::classes`].
    pub class_names: Vec<String>,
    /// Prompt templates of the data set, with one `{}` for the class name.
    pub templates: Vec<String>,
    /// SHA-256 over the templates, each followed by a line feed.
    pub templates_sha256: String,
    /// Training images per class.
    pub shots: u32,
    /// Seed of the few-shot draw, where it is not [`ModuleHeader::seed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// The protocol of the few-shot draw.
    pub sampler: String,
    /// The recipe that was followed; none if the method states none.
    #[serde(default)]
    pub recipe: Option<Recipe>,
}

/// Why a module's header cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Another format.
    #[error("expected the format `{}`, found `{found}`", ModuleHeader::FORMAT)]
    Format {
        /// What the file says.
        found: String,
    },
    /// A name that is empty, too long or contains control characters.
    #[error("`{field}`: expected 1 to {MAX_NAME} printable characters")]
    Name {
        /// Which field.
        field: &'static str,
    },
    /// The configuration is not a JSON object.
    #[error("`config`: expected an object")]
    Config,
    /// Something that is not a SHA-256 in hexadecimal digits.
    #[error("`{field}`: expected a SHA-256 of 64 hexadecimal digits")]
    Digest {
        /// Which field.
        field: &'static str,
    },
    /// Two lists that have to be equally long are not.
    #[error("`class_names`: expected one for each of the {classes} classes, found {names}")]
    ClassNames {
        /// Number of class ids.
        classes: usize,
        /// Number of class names.
        names: usize,
    },
    /// No training images.
    #[error("`shots`: expected at least 1")]
    Shots,
    /// A recipe that no training can follow.
    #[error("`recipe`: {0}")]
    Recipe(#[from] RecipeError),
}

/// Characters of a name.
const MAX_NAME: usize = 1000;

impl ModuleHeader {
    /// The format this crate reads and writes.
    pub const FORMAT: &'static str = "harness-module/1";
    /// Key in the safetensors metadata.
    pub const KEY: &'static str = "harness";

    /// The classes with their names; `None` where the names are not known.
    pub fn named_classes(&self) -> Option<Vec<Class>> {
        let names = &self.origin.as_ref()?.class_names;
        let pairs = self.classes.iter().zip(names);
        let classes = pairs.map(|(id, name)| Class {
            id: id.clone(),
            name: name.clone(),
        });
        Some(classes.collect())
    }

    /// Checks the values of a header that may come from anywhere.
    ///
    /// # Errors
    /// The first field that cannot be used, by name.
    pub fn check(&self) -> Result<(), HeaderError> {
        if self.format != Self::FORMAT {
            let found = self.format.chars().take(MAX_NAME).collect();
            return Err(HeaderError::Format { found });
        }
        for (field, name) in [
            ("plugin", &self.plugin),
            ("plugin_version", &self.plugin_version),
            ("method", &self.method),
            ("source", &self.source),
            ("dataset", &self.dataset),
        ] {
            check_name(field, name)?;
        }
        if !self.config.is_object() {
            return Err(HeaderError::Config);
        }
        self.origin
            .as_ref()
            .map_or(Ok(()), |origin| origin.check(self.classes.len()))
    }
}

impl ModuleOrigin {
    fn check(&self, classes: usize) -> Result<(), HeaderError> {
        for (field, digest) in [
            ("plugin_sha256", &self.plugin_sha256),
            ("source_sha256", &self.source_sha256),
            ("dataset_sha256", &self.dataset_sha256),
            ("templates_sha256", &self.templates_sha256),
        ] {
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if digest.len() != 64 || !digest.bytes().all(is_hex) {
                return Err(HeaderError::Digest { field });
            }
        }
        if self.class_names.len() != classes {
            let names = self.class_names.len();
            return Err(HeaderError::ClassNames { classes, names });
        }
        check_name("sampler", &self.sampler)?;
        if self.shots == 0 {
            return Err(HeaderError::Shots);
        }
        self.recipe.as_ref().map_or(Ok(()), Recipe::check)?;
        Ok(())
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), HeaderError> {
    let is_short = name.chars().take(MAX_NAME + 1).count() <= MAX_NAME;
    match !name.is_empty() && is_short && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(HeaderError::Name { field }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header() -> serde_json::Value {
        json!({
            "format": "harness-module/1", "plugin": "p", "plugin_version": "1",
            "method": "coop", "config": {}, "source": "a", "dataset": "d",
            "classes": ["0", "1"], "seed": 1,
            "origin": {
                "plugin_sha256": "a".repeat(64), "source_sha256": "b".repeat(64),
                "dataset_sha256": "c".repeat(64), "class_names": ["zero", "one"],
                "templates": ["a {}."], "templates_sha256": "d".repeat(64), "shots": 16,
                "sampler": "coop", "recipe": Recipe::default(),
            },
        })
    }

    fn check(header: serde_json::Value) -> Result<(), String> {
        let header: ModuleHeader = serde_json::from_value(header).map_err(|e| e.to_string())?;
        header.check().map_err(|e| e.to_string())
    }

    #[test]
    fn headers_with_and_without_an_origin_are_read() {
        assert_eq!(check(header()), Ok(()));
        let mut old = header();
        old.as_object_mut().unwrap().remove("origin");
        assert_eq!(check(old), Ok(()));
    }

    #[test]
    fn hostile_values_are_refused_by_name() {
        for (field, value, says) in [
            ("/format", json!("harness-module/2"), "harness-module/2"),
            ("/method", json!(""), "`method`"),
            ("/dataset", json!("a\u{1b}[2J"), "`dataset`"),
            ("/source", json!("x".repeat(1001)), "`source`"),
            ("/config", json!([]), "`config`"),
            ("/origin/source_sha256", json!("../../x"), "`source_sha256`"),
            (
                "/origin/plugin_sha256",
                json!("A".repeat(64)),
                "`plugin_sha256`",
            ),
            ("/origin/class_names", json!(["one"]), "found 1"),
            ("/origin/shots", json!(0), "`shots`"),
            ("/origin/shots", json!(-1), "-1"),
            ("/origin/recipe/lr", json!(-3.0), "lr must be positive"),
            ("/origin/recipe/batch", json!(0), "batch"),
            ("/seed", json!("one"), "u64"),
        ] {
            let mut hostile = header();
            *hostile.pointer_mut(field).unwrap() = value;
            let error = check(hostile).unwrap_err();
            assert!(error.contains(says), "{field}: {error}");
        }
    }

    #[test]
    fn the_changes_of_a_recipe_give_that_recipe_again() {
        let recipe = Recipe {
            lr: 0.5,
            steps_per_shot: Some(3),
            epochs: 7,
            ..Recipe::default()
        };
        let changes = super::super::RecipeChanges::from(&recipe);
        assert_eq!(Recipe::default().with(&changes), Ok(recipe));
    }
}
