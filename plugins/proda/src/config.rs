//! Configuration of ProDA.

use harness_sdk::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of ProDA.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// K, the number of prompts. The class name is in front of the context in the first quarter of
    /// them, in its middle in the second, and behind it in the others.
    pub(crate) prompts: usize,
    /// M, the number of context vectors of each.
    pub(crate) length: usize,
    /// Prompts that a step draws; the module is evaluated with all.
    pub(crate) prompts_a_step: usize,
    /// Weight of the prompts' mean absolute cosine similarity. Other implementations have 1.
    pub(crate) weight: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            prompts: 32,
            length: 16,
            prompts_a_step: 4,
            weight: 0.1,
        }
    }
}

impl Config {
    pub(crate) fn check(&self) -> Result<()> {
        // The similarity is one of pairs, the covariance one over the prompts of a step.
        if self.prompts < 2 || !(2..=self.prompts).contains(&self.prompts_a_step) {
            return Err(Error::Config(format!(
                "prompts must be at least 2 and prompts_a_step between 2 and prompts, found {} and {}",
                self.prompts, self.prompts_a_step
            )));
        }
        match self.weight >= 0.0 && self.weight.is_finite() {
            true => Ok(()),
            false => Err(Error::Config("weight must not be negative".into())),
        }
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            length: self.length,
            init: None,
            ..Context::default()
        }
    }
}
