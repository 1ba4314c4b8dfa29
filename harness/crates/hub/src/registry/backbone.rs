//! A backbone of a registry.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A published backbone, or one of the user's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackboneEntry {
    /// Short description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Repository on the hub, `org/name`. Also names its folder in the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Branch, tag, `refs/pr/N` or commit; `main` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// URL of a folder with the same files, used instead of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Folder on this machine, relative to the file that names it; instead of `repo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The files of the backbone; by default weights, configuration,
    /// tokenizer and image transform under their usual names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<BackboneFile>,
    /// Checkpoint layout: hf-clip, open-clip, open-clip-eva02 or eva-clip-rei.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dims: Option<NominalDims>,
    /// Licence, as stated in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether the files are pickles that `harness convert` has to convert.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub convert: bool,
    /// A note for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Sizes of both towers, for listings; the dimensions of a loaded backbone come from its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NominalDims {
    /// Length of a joint feature.
    pub embed: u32,
    pub text: TowerDims,
    pub image: TowerDims,
}

/// Blocks and width of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TowerDims {
    pub layers: u32,
    pub width: u32,
}

/// A file and what is known about it; in a registry its name alone will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackboneFile {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    pub optional: bool,
}

/// The long form of a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileOptions {
    /// Path in the repository.
    #[schemars(length(min = 1))]
    name: String,
    /// Bytes.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "u64")]
    size: Option<u64>,
    /// Approximate size in bytes, for plans; not checked.
    #[serde(default)]
    about: Option<u64>,
    /// SHA-256 in hexadecimal.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "String", regex(pattern = r"^[0-9a-f]{64}$"))]
    sha256: Option<String>,
    /// Whether the backbone works without it.
    #[serde(default)]
    optional: bool,
}

/// A key that is there has a value: an empty one would silently mean that nothing is checked.
fn stated<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

// By hand, because an untagged enum reports neither the mistake nor its location.
impl<'de> Deserialize<'de> for BackboneFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FileVisitor)
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = BackboneFile;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a file name, or a mapping with `name` and what is known about the file")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<BackboneFile, E> {
        Ok(BackboneFile {
            name: name.to_owned(),
            size: None,
            about: None,
            sha256: None,
            optional: false,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BackboneFile, A::Error> {
        let options = FileOptions::deserialize(MapAccessDeserializer::new(map))?;
        Ok(BackboneFile {
            name: options.name,
            size: options.size,
            about: options.about,
            sha256: options.sha256,
            optional: options.optional,
        })
    }
}

impl JsonSchema for BackboneFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BackboneFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<FileOptions>();
        schemars::json_schema!({
            "description": "A file: its name, or its name and what is known about it.",
            "anyOf": [{ "type": "string", "minLength": 1 }, options],
        })
    }
}
