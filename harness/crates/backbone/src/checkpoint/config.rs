//! The JSON configuration beside the weights, in the forms open_clip and transformers write.

use serde_json::Value;

use super::layout::CheckpointLayout;
use crate::dims::Activation;
use crate::error::{BackboneError, Result};

/// Keys of open_clip that change what is computed, with the value that these towers compute.
const OPEN_CLIP_FIXED: [(&str, &str); 21] = [
    ("text_cfg.hf_model_name", "null"),
    ("text_cfg.embed_cls", "false"),
    ("text_cfg.no_causal_mask", "false"),
    ("text_cfg.pool_type", "\"argmax\""),
    ("text_cfg.proj_bias", "false"),
    ("text_cfg.proj_type", "\"linear\""),
    ("text_cfg.final_ln_after_pool", "false"),
    ("text_cfg.ls_init_value", "null"),
    ("text_cfg.xattn_scale", "null"),
    ("vision_cfg.ls_init_value", "null"),
    ("vision_cfg.attentional_pool", "false"),
    ("vision_cfg.global_average_pool", "false"),
    ("vision_cfg.input_patchnorm", "false"),
    ("vision_cfg.final_ln_after_pool", "false"),
    ("vision_cfg.pool_type", "\"tok\""),
    ("vision_cfg.no_ln_pre", "false"),
    ("vision_cfg.timm_pool", "\"token\""),
    ("vision_cfg.timm_proj", "null"),
    ("vision_cfg.postnorm", "false"),
    ("vision_cfg.rope", "true"),
    ("vision_cfg.intp_freq", "true"),
];

/// A parsed configuration and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    origin: String,
    root: Value,
}

impl Config {
    pub(crate) fn new(origin: String, root: Value) -> Self {
        Self { origin, root }
    }

    /// Whether this is the form of configuration that goes with a layout.
    pub(crate) fn fits(&self, layout: &CheckpointLayout) -> bool {
        let sections = Self::sections(layout);
        sections
            .iter()
            .all(|s| self.get(s).is_some_and(Value::is_object))
    }

    /// The sections that `fits` looks for, for messages.
    pub(crate) fn wanted(layout: &CheckpointLayout) -> String {
        Self::sections(layout)
            .map(|s| format!("`{s}`"))
            .join(" and ")
    }

    fn sections(layout: &CheckpointLayout) -> [&'static str; 2] {
        if layout.is_transformers() {
            ["text_config", "vision_config"]
        } else {
            ["text_cfg", "vision_cfg"]
        }
    }

    /// The value at a dotted path; open_clip's hub files wrap the model in `model_cfg`.
    fn get(&self, path: &str) -> Option<&Value> {
        let model = self.root.get("model_cfg").unwrap_or(&self.root);
        let root = if path.starts_with("preprocess_cfg") {
            &self.root
        } else {
            model
        };
        let value = path
            .split('.')
            .try_fold(root, |v, key| match key.parse::<usize>() {
                Ok(index) => v.get(index),
                Err(_) => v.get(key),
            })?;
        (!value.is_null()).then_some(value)
    }

    pub(crate) fn error(&self, key: &str, reason: String) -> BackboneError {
        BackboneError::Config {
            origin: self.origin.clone(),
            key: key.to_owned(),
            reason,
        }
    }

    /// A count, if the key is there.
    pub(crate) fn count(&self, path: &str) -> Result<Option<usize>> {
        let Some(value) = self.get(path) else {
            return Ok(None);
        };
        match value.as_u64().and_then(|v| usize::try_from(v).ok()) {
            Some(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.error(path, format!("expected a positive integer, found {value}"))),
        }
    }

    /// A count that must be there.
    pub(crate) fn require(&self, path: &str) -> Result<usize> {
        self.count(path)?.ok_or_else(|| {
            self.error(
                path,
                "expected a positive integer, found no such key".into(),
            )
        })
    }

    /// Fails if a count is given and differs from what the tensors say.
    pub(crate) fn agrees(&self, path: &str, tensors: usize) -> Result<()> {
        match self.count(path)? {
            Some(count) if count != tensors => {
                Err(self.error(path, format!("{count}, but the tensors have {tensors}")))
            }
            _ => Ok(()),
        }
    }

    /// A side length that may be written as a number or as a pair of equal numbers.
    pub(crate) fn side_agrees(&self, path: &str, tensors: usize) -> Result<()> {
        let Some(value) = self.get(path) else {
            return Ok(());
        };
        let sides: Vec<&Value> = match value {
            Value::Array(pair) => pair.iter().collect(),
            one => vec![one],
        };
        if sides.iter().all(|s| s.as_u64() == Some(tensors as u64)) {
            Ok(())
        } else {
            Err(self.error(path, format!("{value}, but the tensors have {tensors}")))
        }
    }

    /// A positive number, or the default.
    pub(crate) fn number(&self, path: &str, default: f32) -> Result<f32> {
        let Some(value) = self.get(path) else {
            return Ok(default);
        };
        match value.as_f64() {
            Some(v) if v > 0.0 && v.is_finite() => Ok(v as f32),
            _ => Err(self.error(path, format!("expected a positive number, found {value}"))),
        }
    }

    /// Three numbers, one a colour channel, if the key is there.
    pub(crate) fn channels(&self, path: &str) -> Result<Option<[f32; 3]>> {
        let Some(value) = self.get(path) else {
            return Ok(None);
        };
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| self.error(path, format!("expected three numbers, found {value}")))
    }

    /// A text, if the key is there.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// Refuses to guess the activation of weights that OpenAI trained: open_clip's default for a
    /// configuration without `quick_gelu` is GELU, and they were trained with QuickGELU.
    pub(crate) fn knows_activation(&self, is_openais: bool) -> Result<()> {
        if is_openais && self.get("quick_gelu").is_none() {
            return Err(self.error(
                "quick_gelu",
                "found no such key, and the weights carry the buffers of OpenAI's archives, which were \
                 trained with QuickGELU; write \"quick_gelu\": true, or false if these were trained on \
                 with GELU"
                    .into(),
            ));
        }
        Ok(())
    }

    /// open_clip's `quick_gelu`; false when absent.
    pub(crate) fn quick_gelu(&self) -> Result<Activation> {
        match self.get("quick_gelu") {
            None | Some(Value::Bool(false)) => Ok(Activation::Gelu),
            Some(Value::Bool(true)) => Ok(Activation::QuickGelu),
            Some(other) => Err(self.error(
                "quick_gelu",
                format!("expected true or false, found {other}"),
            )),
        }
    }

    /// transformers' `hidden_act`, `quick_gelu` when absent as in `CLIPConfig`.
    pub(crate) fn hidden_act(&self, section: &str) -> Result<Activation> {
        let key = format!("{section}.hidden_act");
        match self.get(&key) {
            None => Ok(Activation::QuickGelu),
            Some(value) => match value.as_str() {
                Some("quick_gelu") => Ok(Activation::QuickGelu),
                Some("gelu") => Ok(Activation::Gelu),
                _ => Err(self.error(
                    &key,
                    format!("expected \"quick_gelu\" or \"gelu\", found {value}"),
                )),
            },
        }
    }

    /// Refuses options of open_clip that these towers do not compute.
    pub(crate) fn refuse_unknown_computation(&self) -> Result<()> {
        for (key, computed) in OPEN_CLIP_FIXED {
            let Some(found) = self.get(key).map(Value::to_string) else {
                continue;
            };
            let empty_projection = key.ends_with("timm_proj") && found == "\"\"";
            if found != computed && !empty_projection {
                let reason = format!("{found} is not supported; only {computed} is computed here");
                return Err(self.error(key, reason));
            }
        }
        Ok(())
    }
}
