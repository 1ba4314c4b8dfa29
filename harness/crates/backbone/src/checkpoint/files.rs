//! The files in a folder that make up a backbone, and their hash.

use std::path::{Path, PathBuf};

use harness_store::Sha256;
use serde_json::Value;

use super::config::Config;
use super::layout::CheckpointLayout;
use super::safetensors::WeightFiles;
use crate::error::{BackboneError, Result};

/// Weight files in order of preference. A hub folder may hold a bare image trunk as
/// `model.safetensors` beside the open_clip file, so the latter comes first.
const WEIGHTS: [&str; 2] = ["open_clip_model.safetensors", "model.safetensors"];
/// Configuration files in order of preference.
const CONFIGS: [&str; 2] = ["open_clip_config.json", "config.json"];
/// Where transformers keeps the image transform; version 5 writes the second.
const PREPROCESSORS: [&str; 2] = ["preprocessor_config.json", "processor_config.json"];

/// The files that decide what a backbone computes.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: PathBuf,
    pub(crate) weights: WeightFiles,
    /// Present when the folder has one.
    pub(crate) tokenizer: Option<PathBuf>,
    /// transformers keeps the image transform in a file of its own.
    preprocessor: Option<PathBuf>,
}

impl Files {
    /// Finds the weights of `folder` and what lies beside them.
    pub(crate) fn find(folder: &Path) -> Result<Self> {
        let missing = |reason: String| BackboneError::File {
            path: folder.to_path_buf(),
            reason,
        };
        if !folder.is_dir() {
            return Err(missing(
                "expected a folder with weights (*.safetensors) and a config.json".into(),
            ));
        }
        let named = |name: &str| Some(folder.join(name)).filter(|p| p.is_file());
        let index = |name: &str| named(&format!("{name}.index.json"));
        let weights = if let Some(path) = WEIGHTS.iter().find_map(|name| named(name)) {
            WeightFiles::single(path)
        } else if let Some(path) = WEIGHTS.iter().find_map(|name| index(name)) {
            WeightFiles::of_index(path)?
        } else {
            WeightFiles::single(Self::only_safetensors(folder)?)
        };
        Ok(Self {
            folder: folder.to_path_buf(),
            weights,
            tokenizer: named("tokenizer.json"),
            preprocessor: PREPROCESSORS.iter().find_map(|name| named(name)),
        })
    }

    fn only_safetensors(folder: &Path) -> Result<PathBuf> {
        let mut found = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "safetensors") {
                found.push(path);
            }
        }
        found.sort();
        let reason = match found.as_slice() {
            [one] => return Ok(one.clone()),
            [] => format!("no weights: expected {} or {}", WEIGHTS[0], WEIGHTS[1]),
            several => format!(
                "{} safetensors files; expected one, or one named {} or {} (sharded weights need their \
                 index, model.safetensors.index.json)",
                several.len(),
                WEIGHTS[0],
                WEIGHTS[1]
            ),
        };
        Err(BackboneError::File {
            path: folder.to_path_buf(),
            reason,
        })
    }

    /// The first configuration file of the form that `layout` needs.
    pub(crate) fn config(&self, layout: &CheckpointLayout) -> Result<(PathBuf, Config)> {
        let mut seen = Vec::new();
        for name in CONFIGS {
            let path = self.folder.join(name);
            if !path.is_file() {
                continue;
            }
            let config = Config::new(path.display().to_string(), read_json(&path)?);
            if layout.is_transformers() {
                config.is_clip()?;
            }
            if config.fits(layout) {
                return Ok((path, config));
            }
            seen.push(name);
        }
        let found = if seen.is_empty() {
            "none".to_owned()
        } else {
            format!("{} without them", seen.join(" and "))
        };
        Err(BackboneError::File {
            path: self.folder.clone(),
            reason: format!(
                "the weights are in the {} layout, whose configuration ({} or {}) has {}; found {found}",
                layout.name(),
                CONFIGS[0],
                CONFIGS[1],
                Config::wanted(layout)
            ),
        })
    }

    /// transformers' configuration of the image transform, if there is one.
    pub(crate) fn preprocessor(&self) -> Result<Option<Config>> {
        let Some(path) = &self.preprocessor else {
            return Ok(None);
        };
        let mut root = read_json(path)?;
        // A processor's configuration contains that of its image processor.
        if let Some(inner) = root.get_mut("image_processor").map(Value::take) {
            root = inner;
        }
        Ok(Some(Config::new(path.display().to_string(), root)))
    }

    /// sha256 (hex) over role, length and bytes of every file that is used.
    pub(crate) fn digest(&self, config: &Path) -> Result<String> {
        let weights = self.weights.files.iter();
        let weights = weights.map(|path| ("weights", Some(path.as_path())));
        let others = [
            ("config", Some(config)),
            ("tokenizer", self.tokenizer.as_deref()),
            ("preprocessor", self.preprocessor.as_deref()),
        ];
        let mut hash = Sha256::default();
        for (role, path) in weights.chain(others) {
            let Some(path) = path else { continue };
            let mut file = fs_err::File::open(path)?;
            hash.update(role.as_bytes());
            hash.update(&[0]);
            hash.update(&file.metadata()?.len().to_le_bytes());
            std::io::copy(&mut file, &mut hash)?;
        }
        Ok(hash.hex())
    }
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs_err::read_to_string(path)?;
    // Windows' editors put a byte order mark first.
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| BackboneError::File {
        path: path.to_path_buf(),
        reason: format!("not JSON: {e}"),
    })
}
