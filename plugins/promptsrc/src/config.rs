//! Configuration of PromptSRC.

use harness_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::templates::TEACHER;

/// Configuration of PromptSRC.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Learned tokens per text block; at the input they replace the first words of `init`.
    pub(crate) text_tokens: usize,
    /// Learned tokens per image block.
    pub(crate) image_tokens: usize,
    /// Blocks of each tower with their own tokens, at most all.
    pub(crate) depth: usize,
    /// Words before the class name; those not replaced stay.
    pub(crate) init: String,
    /// Weight of the distance between text features and the teacher's.
    pub(crate) text_weight: f64,
    /// Weight of the distance between image features and those of the frozen tower.
    pub(crate) image_weight: f64,
    /// Weight of the KL divergence from the zero-shot predictions.
    pub(crate) logit_weight: f64,
    /// Gaussian weights of the epochs in the average of the parameters; `null` for the
    /// last epoch.
    pub(crate) average: Option<Gaussian>,
    /// Templates of the teacher's text features; `null` for the reference's 60.
    teacher_templates: Option<Vec<String>>,
}

/// A Gaussian over the epochs, counted from 1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gaussian {
    /// Epoch with the largest weight.
    mean: f64,
    /// Standard deviation in epochs.
    std: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            text_tokens: 4,
            image_tokens: 4,
            depth: 9,
            init: "a photo of a".to_owned(),
            text_weight: 25.0,
            image_weight: 10.0,
            logit_weight: 1.0,
            average: Some(Gaussian {
                mean: 15.0,
                std: 1.0,
            }),
            teacher_templates: None,
        }
    }
}

impl Config {
    pub(crate) fn teacher_templates(&self) -> Vec<String> {
        match &self.teacher_templates {
            Some(templates) => templates.clone(),
            None => TEACHER.iter().map(|&t| t.to_owned()).collect(),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let fail = |text: &str| Err(Error::Config(text.to_owned()));
        let weights = [self.text_weight, self.image_weight, self.logit_weight];
        if weights.iter().any(|w| !(*w >= 0.0 && w.is_finite())) {
            return fail("text_weight, image_weight and logit_weight must not be negative");
        }
        if let Some(Gaussian { mean, std }) = &self.average
            && !(mean.is_finite() && std.is_finite() && *std > 0.0)
        {
            return fail("average: mean must be finite, std above 0");
        }
        let templates = self.teacher_templates();
        if templates.is_empty() || templates.iter().any(|t| !t.contains("{}")) {
            return fail("teacher_templates must hold at least one, each with {}");
        }
        Ok(())
    }
}

impl Gaussian {
    /// Weights of epochs 1 to `epochs`; they sum to 1.
    pub(crate) fn weights(&self, epochs: usize) -> Vec<f64> {
        let exponent = |epoch: usize| -0.5 * ((epoch as f64 - self.mean) / self.std).powi(2);
        // Relative to the largest, so that a Gaussian far from all epochs does not underflow.
        let largest = (1..=epochs).map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = (1..=epochs)
            .map(|e| (exponent(e) - largest).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Gaussian};

    #[test]
    fn weights_are_a_normalised_gaussian() {
        let near = Gaussian {
            mean: 2.0,
            std: 1.0,
        };
        // exp(-1/2), 1, exp(-1/2), exp(-2), over their sum.
        let expected = [0.258_3, 0.425_8, 0.258_3, 0.057_6];
        for (weight, expected) in near.weights(4).iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-4, "{weight} {expected}");
        }
        let far = Gaussian {
            mean: 900.0,
            std: 1.0,
        };
        assert!((far.weights(3)[2] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_teacher_has_60_distinct_templates() {
        let templates = Config::default().teacher_templates();
        assert_eq!(templates.len(), 60);
        assert_eq!(templates[0], "a photo of a {}.");
        assert_eq!(templates[59], "itap of the {}.");
        let distinct: std::collections::BTreeSet<_> = templates.iter().collect();
        assert_eq!(distinct.len(), 60);
    }
}
