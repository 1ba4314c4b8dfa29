//! A registry: backbones by alias, embedded or the user's own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backbone::{BackboneEntry, BackboneFile};
use crate::hub::Request;
use crate::repo::{Repo, RepoError};
use crate::repo_file::RepoFile;

/// Published CLIP-family backbones.
const EMBEDDED: &str = include_str!("backbones.yaml");

/// Backbones by alias.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Aliases(pub BTreeMap<String, BackboneEntry>);

impl Aliases {
    /// The registry that is part of the program.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("backbones.yaml is part of the program, and a test reads it")
    }

    /// Reads a registry file.
    ///
    /// # Errors
    /// The text is not YAML, or not of this form.
    pub fn parse(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    pub fn get(&self, alias: &str) -> Option<&BackboneEntry> {
        self.0.get(alias)
    }
}

impl BackboneEntry {
    /// The repository and those of its files that make up the backbone.
    ///
    /// # Errors
    /// The name or revision of the repository is malformed or missing.
    pub fn request(&self) -> Result<Request, RepoError> {
        let id = self.repo.as_deref().unwrap_or_default();
        let revision = self.revision.as_deref().unwrap_or("main");
        let files = match self.files.as_slice() {
            [] => backbone_files(),
            files => files.iter().map(repo_file).collect(),
        };
        Ok(Request {
            repo: Repo::model(id, revision)?,
            files,
            mirror: self.mirror.clone(),
        })
    }
}

fn repo_file(file: &BackboneFile) -> RepoFile {
    RepoFile {
        names: vec![file.name.clone()],
        size: file.size,
        about: file.about,
        sha256: file.sha256.clone(),
        optional: file.optional,
    }
}

/// The usual files of a backbone: weights and configuration under the names of open_clip or
/// transformers, weights perhaps as an index of shards, and tokenizer and image transform if present.
pub fn backbone_files() -> Vec<RepoFile> {
    vec![
        RepoFile::any_of([
            "open_clip_model.safetensors",
            "model.safetensors",
            "model.safetensors.index.json",
        ]),
        RepoFile::any_of(["open_clip_config.json", "config.json"]),
        RepoFile::file("tokenizer.json").optional(),
        RepoFile::any_of(["preprocessor_config.json", "processor_config.json"]).optional(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_backbone_has_files() {
        let aliases = Aliases::parse(EMBEDDED).unwrap();
        assert!(aliases.0.len() >= 20, "{}", aliases.0.len());
        let layouts = ["hf-clip", "open-clip", "open-clip-eva02", "eva-clip-rei"];
        for (alias, entry) in &aliases.0 {
            let request = entry.request().unwrap_or_else(|e| panic!("{alias}: {e}"));
            assert!(!request.files.is_empty(), "{alias}");
            request.files.iter().try_for_each(RepoFile::check).unwrap();
            let layout = entry.layout.as_deref().unwrap_or_default();
            assert!(layouts.contains(&layout), "{alias}: {layout}");
            assert!(entry.dims.is_some() && entry.title.is_some(), "{alias}");
            let is_pickle = |file: &BackboneFile| !file.name.ends_with(".safetensors");
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
    fn a_file_is_a_name_or_a_mapping() {
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

    #[test]
    fn a_mistake_in_a_file_is_reported_where_it_is() {
        for (file, message, line) in [
            ("{name: x, sise: 3}", "unknown field `sise`", 4),
            (
                "{name: x, size: many}",
                "invalid type: string \"many\", expected u64",
                4,
            ),
            ("{size: 3}", "missing field `name`", 4),
            ("7", "expected a file name, or a mapping", 4),
        ] {
            let text = format!("mine:\n  repo: me/clip\n  files:\n    - {file}\n");
            let error = Aliases::parse(&text).unwrap_err();
            assert!(error.to_string().contains(message), "{file}: {error}");
            assert_eq!(
                error.location().map(|at| at.line()),
                Some(line),
                "{file}: {error}"
            );
        }
    }
}
