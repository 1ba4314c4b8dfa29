//! One backbone of a registry.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A published backbone, or one of the user's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Repository on the hub, `org/name`. Also names its folder in the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Branch, tag, `refs/pr/N` or commit; `main` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// URL of a folder with the same files, asked instead of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Folder on this machine, relative to the file that names it; instead of `repo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The files that make the backbone; by default weights, configuration,
    /// tokenizer and image transform under their usual names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileEntry>,
    /// Checkpoint layout: hf-clip, open-clip, open-clip-eva02 or eva-clip-rei.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dims: Option<Dims>,
    /// Licence, as the repository states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether the files are pickles that `harness convert` has to rewrite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub convert: bool,
    /// What a user should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Sizes of both towers, for lists; what is loaded is measured from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dims {
    /// Length of a joint feature.
    pub embed: u32,
    pub text: Tower,
    pub image: Tower,
}

/// Blocks and width of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tower {
    pub layers: u32,
    pub width: u32,
}

/// A file with what is known of it. In a registry also just its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileEntry {
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
    #[serde(default)]
    size: Option<u64>,
    /// Bytes by rule of thumb, for plans; nothing is compared with it.
    #[serde(default)]
    about: Option<u64>,
    /// SHA-256 in hexadecimal.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    sha256: Option<String>,
    /// Whether the backbone does without.
    #[serde(default)]
    optional: bool,
}

impl<'de> Deserialize<'de> for FileEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Name(String),
            Options(FileOptions),
        }
        let options = match Form::deserialize(deserializer)? {
            Form::Options(options) => options,
            Form::Name(name) => FileOptions {
                name,
                size: None,
                about: None,
                sha256: None,
                optional: false,
            },
        };
        Ok(Self {
            name: options.name,
            size: options.size,
            about: options.about,
            sha256: options.sha256,
            optional: options.optional,
        })
    }
}

impl JsonSchema for FileEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FileEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<FileOptions>();
        schemars::json_schema!({
            "description": "A file: its name, or its name with what is known of it.",
            "anyOf": [{ "type": "string", "minLength": 1 }, options],
        })
    }
}
