//! Configuration of TCP.

use harness_sdk::{Context, Error, Result, wire::BackboneFacts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The context at the text input; `context.layer` must stay 0.
    pub(crate) context: Context,
    /// The text block whose input holds the class tokens; `null`: 2/3 of the depth,
    /// which is block 8 of 12 and block 2 of 3.
    pub(crate) layer: Option<usize>,
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
        self.context.at_input()
    }

    /// The block of the class tokens in a backbone.
    pub(crate) fn layer(&self, backbone: &BackboneFacts) -> Result<usize> {
        let layers = backbone.text.layers;
        let layer = self.layer.unwrap_or(layers * 2 / 3);
        if (1..layers).contains(&layer) {
            return Ok(layer);
        }
        Err(Error::NotInjectable(format!(
            "needs text block {layer} above the first, {} has {layers} text blocks",
            backbone.name
        )))
    }
}
