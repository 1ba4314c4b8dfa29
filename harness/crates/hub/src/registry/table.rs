//! All entries, the embedded ones and the user's own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{Entry, FileEntry};
use crate::hub::Request;
use crate::repo::{Repo, RepoError};
use crate::wanted::Wanted;

/// Published CLIP-family backbones.
const EMBEDDED: &str = include_str!("backbones.yaml");

/// Backbones by alias.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Aliases(pub BTreeMap<String, Entry>);

impl Aliases {
    /// What comes with the program.
    pub fn embedded() -> Self {
        // A test reads it; a file that cannot be read would be no aliases at all.
        Self::parse(EMBEDDED).unwrap_or_default()
    }

    /// Reads a registry file.
    ///
    /// # Errors
    /// The text is not YAML, or not of this form.
    pub fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    pub fn get(&self, alias: &str) -> Option<&Entry> {
        self.0.get(alias)
    }
}

impl Entry {
    /// The repository and the files of it that make the backbone.
    ///
    /// # Errors
    /// The repository's name or revision is malformed, or there is none.
    pub fn request(&self) -> Result<Request, RepoError> {
        let id = self.repo.as_deref().unwrap_or_default();
        let revision = self.revision.as_deref().unwrap_or("main");
        let files = match self.files.as_slice() {
            [] => backbone_files(),
            files => files.iter().map(wanted).collect(),
        };
        Ok(Request {
            repo: Repo::model(id, revision)?,
            files,
            mirror: self.mirror.clone(),
        })
    }
}

fn wanted(file: &FileEntry) -> Wanted {
    Wanted {
        names: vec![file.name.clone()],
        size: file.size,
        about: file.about,
        sha256: file.sha256.clone(),
        optional: file.optional,
    }
}

/// The usual files of a backbone: weights and configuration in open_clip's names
/// or transformers', tokenizer and image transform if there are any.
pub fn backbone_files() -> Vec<Wanted> {
    vec![
        Wanted::any_of(["open_clip_model.safetensors", "model.safetensors"]),
        Wanted::any_of(["open_clip_config.json", "config.json"]),
        Wanted::file("tokenizer.json").optional(),
        Wanted::file("preprocessor_config.json").optional(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_entry_leads_to_files() {
        let aliases = Aliases::parse(EMBEDDED).unwrap();
        assert!(aliases.0.len() >= 20, "{}", aliases.0.len());
        let layouts = ["hf-clip", "open-clip", "open-clip-eva02", "eva-clip-rei"];
        for (alias, entry) in &aliases.0 {
            let request = entry.request().unwrap_or_else(|e| panic!("{alias}: {e}"));
            assert!(!request.files.is_empty(), "{alias}");
            request.files.iter().try_for_each(Wanted::check).unwrap();
            let layout = entry.layout.as_deref().unwrap_or_default();
            assert!(layouts.contains(&layout), "{alias}: {layout}");
            assert!(entry.dims.is_some() && entry.title.is_some(), "{alias}");
            let is_pickle = |file: &FileEntry| !file.name.ends_with(".safetensors");
            let weights: Vec<_> = entry
                .files
                .iter()
                .filter(|f| !f.name.ends_with(".json"))
                .collect();
            assert_eq!(weights.len(), 1, "{alias}");
            assert_eq!(is_pickle(weights[0]), entry.convert, "{alias}");
            for sha256 in entry.files.iter().filter_map(|file| file.sha256.as_deref()) {
                let is_hex = sha256
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() && !c.is_uppercase());
                assert!(sha256.len() == 64 && is_hex, "{alias}: {sha256}");
            }
        }
        for alias in [
            "clip-vit-b32",
            "clip-vit-b16",
            "clip-vit-l14",
            "clip-vit-l14-336",
            "eva02-clip-b16",
            "eva02-clip-l14",
        ] {
            assert!(aliases.get(alias).is_some(), "{alias}");
        }
    }

    #[test]
    fn a_user_names_files_briefly_or_with_what_is_known() {
        let aliases = Aliases::parse(
            "mine:\n  repo: me/clip\n  mirror: http://files/clip\n  files:\n    - config.json\n    - {name: model.safetensors, size: 3}\n",
        )
        .unwrap();
        let request = aliases.get("mine").unwrap().request().unwrap();
        assert_eq!(request.mirror.as_deref(), Some("http://files/clip"));
        assert_eq!(request.repo.revision(), "main");
        assert_eq!(request.files[1].size, Some(3));
        assert!(Aliases::parse("mine: {repos: x}").is_err());
    }
}
