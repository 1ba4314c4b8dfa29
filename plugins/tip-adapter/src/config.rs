//! Configuration of both methods.

use harness_sdk::{Bench, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of the cache before the search. The authors begin with 1.17 on ImageNet,
    /// Food101, Oxford Pets and SUN397, 3 on Caltech101, Cars and UCF101, 2 on DTD and
    /// EuroSAT, 5 on Aircraft and 10 on Flowers.
    pub(crate) alpha: f64,
    /// Sharpness of the cache before the search.
    pub(crate) beta: f64,
    /// Whether alpha and beta are searched on the validation draw; otherwise, and
    /// where there is no such draw, they stay as they begin.
    pub(crate) search: bool,
    /// Where the search ends: `[beta, alpha]`. 200 and 20 values from 0.1 on. The
    /// authors take [7, 3] on ImageNet and [13, 13] on DTD.
    pub(crate) search_scale: [f64; 2],
    /// The scale of the zero-shot logits, beside which alpha stands.
    pub(crate) scale: Scale,
}

/// A scale of cosines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// 100, as the reference has it.
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

    pub(crate) fn scale(&self, bench: &Bench) -> f64 {
        match self.scale {
            Scale::Hundred => 100.0,
            Scale::Backbone => bench.logit_scale(),
        }
    }
}
