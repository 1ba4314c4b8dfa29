//! The JSON configuration beside the weights, as open_clip or transformers writes it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::layout::CheckpointLayout;
use crate::dims::Activation;
use crate::error::{BackboneError, Result};

/// Keys of open_clip that change the computation, with the only supported value.
const OPEN_CLIP_FIXED: [(&str, &str); 24] = [
    ("text_cfg.hf_model_name", "null"),
    ("text_cfg.embed_cls", "false"),
    ("text_cfg.no_causal_mask", "false"),
    ("text_cfg.pool_type", "\"argmax\""),
    ("text_cfg.proj_bias", "false"),
    ("text_cfg.proj_type", "\"linear\""),
    ("text_cfg.final_ln_after_pool", "false"),
    ("text_cfg.ls_init_value", "null"),
    ("text_cfg.xattn_scale", "null"),
    ("text_cfg.act_kwargs", "null"),
    ("vision_cfg.ls_init_value", "null"),
    ("vision_cfg.act_kwargs", "null"),
    ("vision_cfg.pos_embed_type", "\"learnable\""),
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

/// Defaults of transformers' `CLIPConfig`. Its `save_pretrained` writes only values that differ
/// from them.
static CLIP_CONFIG: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "projection_dim": 512,
        "text_config": {
            "vocab_size": 49408,
            "hidden_size": 512,
            "intermediate_size": 2048,
            "num_hidden_layers": 12,
            "num_attention_heads": 8,
            "max_position_embeddings": 77,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
            "eos_token_id": 49407,
        },
        "vision_config": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "num_channels": 3,
            "image_size": 224,
            "patch_size": 32,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-5,
        },
    })
});
/// Sections of transformers' configuration. Old files also have them with the suffix `_dict`; as in
/// transformers, such a section, completed with the defaults, takes precedence.
const CLIP_SECTIONS: [&str; 2] = ["text_config", "vision_config"];

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

    /// Whether the configuration has the sections of a layout.
    pub(crate) fn fits(&self, layout: &CheckpointLayout) -> bool {
        if layout.is_transformers() {
            return self.model_type() == Some("clip")
                || CLIP_SECTIONS.iter().any(|s| {
                    let mut keys =
                        [self.root.get(s), self.root.get(format!("{s}_dict"))].into_iter();
                    keys.any(|section| section.is_some_and(Value::is_object))
                });
        }
        ["text_cfg", "vision_cfg"]
            .iter()
            .all(|s| self.get(s).is_some_and(Value::is_object))
    }

    /// The sections that [`Self::fits`] requires, for error messages.
    pub(crate) fn wanted(layout: &CheckpointLayout) -> &'static str {
        if layout.is_transformers() {
            "`text_config` and `vision_config`"
        } else {
            "`text_cfg` and `vision_cfg`"
        }
    }

    /// Rejects transformers' models that have CLIP's tensor names but compute something else.
    pub(crate) fn is_clip(&self) -> Result<()> {
        match self.model_type() {
            None | Some("clip") => Ok(()),
            Some(other) => Err(self.error(
                "model_type",
                format!("{other:?} is not supported; only \"clip\" is"),
            )),
        }
    }

    fn model_type(&self) -> Option<&str> {
        self.root.get("model_type")?.as_str()
    }

    /// The value at a dotted path, or transformers' default.
    fn get(&self, path: &str) -> Option<&Value> {
        self.given(path).or_else(|| at(&CLIP_CONFIG, path))
    }

    /// The file's value at a dotted path. open_clip's hub files have the model under
    /// `model_cfg`.
    fn given(&self, path: &str) -> Option<&Value> {
        let model = self.root.get("model_cfg").unwrap_or(&self.root);
        let root = if path.starts_with("preprocess_cfg") {
            &self.root
        } else {
            model
        };
        at(root, &self.actual(path))
    }

    /// The path, with the section that takes precedence in transformers.
    fn actual(&self, path: &str) -> String {
        for section in CLIP_SECTIONS {
            let winner = format!("{section}_dict");
            if let Some(key) = path.strip_prefix(section)
                && key.starts_with('.')
                && self.root.get(&winner).is_some_and(Value::is_object)
            {
                return format!("{winner}{key}");
            }
        }
        path.to_owned()
    }

    pub(crate) fn error(&self, key: &str, reason: String) -> BackboneError {
        BackboneError::Config {
            origin: self.origin.clone(),
            key: self.actual(key),
            reason,
        }
    }

    /// Keys in which a section differs from the one that takes precedence over it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = CLIP_SECTIONS.iter().filter_map(|section| {
            let winner = format!("{section}_dict");
            let losing = self.root.get(section)?.as_object()?;
            self.root.get(&winner)?.as_object()?;
            let differs = |key: &&String| {
                let path = format!("{section}.{key}");
                at(&CLIP_CONFIG, &path).is_some() && self.get(&path) != losing.get(*key)
            };
            let keys: Vec<&str> = losing.keys().filter(differs).map(String::as_str).collect();
            (!keys.is_empty()).then(|| {
                format!(
                    "`{winner}` is used instead of `{section}`, as in transformers; they differ in {}",
                    keys.join(", ")
                )
            })
        });
        notes.collect()
    }

    /// Top-level keys and values.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.root.as_object().into_iter().flatten();
        entries.map(|(key, value)| (key.as_str(), value))
    }

    /// The file's value, of any type.
    pub(crate) fn value(&self, path: &str) -> Option<&Value> {
        self.given(path)
    }

    /// A positive integer, if present.
    pub(crate) fn count(&self, path: &str) -> Result<Option<usize>> {
        let Some(value) = self.get(path) else {
            return Ok(None);
        };
        match value.as_u64().and_then(|v| usize::try_from(v).ok()) {
            Some(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.error(path, format!("expected a positive integer, found {value}"))),
        }
    }

    /// A required positive integer.
    pub(crate) fn require(&self, path: &str) -> Result<usize> {
        self.count(path)?.ok_or_else(|| {
            self.error(
                path,
                "expected a positive integer, but the key is missing".into(),
            )
        })
    }

    /// Fails if the count is present and differs from the tensors'.
    pub(crate) fn agrees(&self, path: &str, tensors: usize) -> Result<()> {
        match self.count(path)? {
            Some(count) if count != tensors => {
                Err(self.error(path, self.disagreement(path, &count, tensors)))
            }
            _ => Ok(()),
        }
    }

    /// As [`Self::agrees`], for a side length, which may also be a pair of equal numbers.
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
            Err(self.error(path, self.disagreement(path, value, tensors)))
        }
    }

    fn disagreement(&self, path: &str, value: &dyn std::fmt::Display, tensors: usize) -> String {
        match self.given(path) {
            Some(_) => format!("{value}, but the tensors have {tensors}"),
            None => format!(
                "key is missing; transformers' default is {value}, but the tensors have {tensors}"
            ),
        }
    }

    /// A boolean, or the default.
    pub(crate) fn flag(&self, path: &str, default: bool) -> Result<bool> {
        match self.get(path) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.error(path, format!("expected true or false, found {other}"))),
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

    /// One number per colour channel, or one for all three, if present.
    pub(crate) fn channels(&self, path: &str) -> Result<Option<[f32; 3]>> {
        let Some(value) = self.get(path) else {
            return Ok(None);
        };
        if let Some(number) = value.as_f64() {
            return Ok(Some([number as f32; 3]));
        }
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| self.error(path, format!("expected three numbers, found {value}")))
    }

    /// A string, if present.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// Requires `quick_gelu` for OpenAI's weights: they were trained with QuickGELU, but open_clip's
    /// default is GELU.
    pub(crate) fn knows_activation(&self, is_openais: bool) -> Result<()> {
        if is_openais && self.get("quick_gelu").is_none() {
            return Err(self.error(
                "quick_gelu",
                "key is missing; the weights look like OpenAI's, which were trained with QuickGELU. \
                 Set it to true, or to false if they were fine-tuned with GELU"
                    .into(),
            ));
        }
        Ok(())
    }

    /// open_clip's `quick_gelu`; false when absent.
    pub(crate) fn quick_gelu(&self) -> Result<Activation> {
        Ok(match self.flag("quick_gelu", false)? {
            false => Activation::Gelu,
            true => Activation::QuickGelu,
        })
    }

    /// transformers' `hidden_act`.
    pub(crate) fn hidden_act(&self, section: &str) -> Result<Activation> {
        let key = format!("{section}.hidden_act");
        match self.text(&key) {
            Some("quick_gelu") => Ok(Activation::QuickGelu),
            Some("gelu") => Ok(Activation::Gelu),
            _ => {
                let found = self.get(&key).unwrap_or(&Value::Null);
                Err(self.error(
                    &key,
                    format!("expected \"quick_gelu\" or \"gelu\", found {found}"),
                ))
            }
        }
    }

    /// Rejects options of open_clip that the towers do not support.
    pub(crate) fn refuse_unknown_computation(&self) -> Result<()> {
        for (key, computed) in OPEN_CLIP_FIXED {
            let Some(found) = self.get(key).map(Value::to_string) else {
                continue;
            };
            let is_empty = (key.ends_with("timm_proj") && found == "\"\"") || found == "{}";
            if found != computed && !is_empty {
                let reason = format!("{found} is not supported; only {computed} is");
                return Err(self.error(key, reason));
            }
        }
        Ok(())
    }
}

/// The value at a dotted path, unless it is null.
fn at<'v>(root: &'v Value, path: &str) -> Option<&'v Value> {
    let value = path
        .split('.')
        .try_fold(root, |v, key| match key.parse::<usize>() {
            Ok(index) => v.get(index),
            Err(_) => v.get(key),
        })?;
    (!value.is_null()).then_some(value)
}
