//! Configuration of both methods.

use harness_sdk::{Error, Host, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of Tip-Adapter and Tip-Adapter-F.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of the cache before the search. The authors use 1.17 for ImageNet, Food101,
    /// Oxford Pets and SUN397, 3 for Caltech101, Cars and UCF101, 2 for DTD and EuroSAT, 5
    /// for Aircraft and 10 for Flowers.
    pub(crate) alpha: f64,
    /// Sharpness of the cache before the search.
    pub(crate) beta: f64,
    /// Whether alpha and beta are searched on the validation split, if there is one.
    pub(crate) search: bool,
    /// Upper bounds of the search, `[beta, alpha]`: 200 and 20 values from 0.1. The
    /// authors use [7, 3] for ImageNet and [13, 13] for DTD.
    pub(crate) search_scale: [f64; 2],
    /// Scale of the zero-shot logits, to which alpha is relative.
    pub(crate) scale: Scale,
}

/// Scale of the zero-shot logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// 100, as in the reference.
    Hundred,
    /// The backbone's own logit scale.
    Backbone,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            alpha: 1.17,
            beta: 1.0,
            search: true,
            search_scale: [7.0, 3.0],
            scale: Scale::Hundred,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<()> {
        let [beta, alpha] = self.search_scale;
        for (name, value, least) in [
            ("alpha", self.alpha, 0.0),
            ("beta", self.beta, 0.0),
            ("the first of search_scale", beta, 0.1),
            ("the second of search_scale", alpha, 0.1),
        ] {
            if !(value >= least && value.is_finite()) {
                return Err(Error::Config(format!(
                    "{name} must be at least {least}, found {value}"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn scale(&self, host: &Host) -> f64 {
        match self.scale {
            Scale::Hundred => 100.0,
            Scale::Backbone => host.logit_scale(),
        }
    }
}
