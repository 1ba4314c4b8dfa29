//! Configuration of TCP.

use harness_sdk::{Context, Error, Result, wire::BackboneFacts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of TCP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The context at the text input; `context.layer` must be 0.
    pub(crate) context: Context,
    /// The text block at whose input the class tokens enter; `null` for 2/3 of the depth,
    /// block 8 of 12.
    pub(crate) layer: Option<usize>,
    /// Text after the class name. The authors use ", a type of pet." for Oxford Pets and the
    /// like for other data sets.
    pub(crate) suffix: String,
    /// w, the weight of the distance to the zero-shot text features.
    pub(crate) weight: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: Context {
                init: None,
                ..Context::default()
            },
            layer: None,
            suffix: ".".to_owned(),
            weight: 8.0,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<()> {
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            return Err(Error::Config(format!(
                "weight must not be negative, found {}",
                self.weight
            )));
        }
        self.context.require_input()
    }

    /// The block of the class tokens in a backbone.
    pub(crate) fn layer(&self, backbone: &BackboneFacts) -> Result<usize> {
        let layers = backbone.text.layers;
        let layer = self.layer.unwrap_or(layers * 2 / 3);
        if (1..layers).contains(&layer) {
            return Ok(layer);
        }
        Err(Error::NotInjectable(format!(
            "class tokens cannot enter at text block {layer}: {} has blocks 0 to {}, and block 0 holds the context",
            backbone.name,
            layers.saturating_sub(1)
        )))
    }
}
