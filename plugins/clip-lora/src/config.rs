//! Configuration of CLIP-LoRA.

use harness_sdk::{Error, Result, wire::Tower};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of CLIP-LoRA.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// r, the rank of every update.
    pub(crate) rank: usize,
    /// α; updates are scaled by α/√r.
    pub(crate) alpha: f64,
    /// Dropout rate on the input of A during training.
    pub(crate) dropout: f64,
    /// The towers that are adapted.
    pub(crate) encoder: Encoder,
    /// The projections of each attention layer that are adapted.
    pub(crate) projections: Vec<Projection>,
    /// The blocks that are adapted; `null` for all.
    pub(crate) blocks: Option<Blocks>,
    /// Prompt template; `{}` is the class name.
    pub(crate) template: String,
}

/// Which towers are adapted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    /// Text and image tower.
    Both,
    /// The text tower.
    Text,
    /// The image tower.
    Image,
}

/// Blocks of each tower, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Blocks {
    /// Blocks of the text tower.
    pub(crate) text: Vec<usize>,
    /// Blocks of the image tower.
    pub(crate) image: Vec<usize>,
}

/// A projection of an attention layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    /// Queries.
    Q,
    /// Keys.
    K,
    /// Values.
    V,
    /// Output.
    Out,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rank: 2,
            alpha: 1.0,
            dropout: 0.25,
            encoder: Encoder::Both,
            projections: vec![Projection::Q, Projection::K, Projection::V],
            blocks: None,
            template: "a photo of a {}.".to_owned(),
        }
    }
}

impl Config {
    /// α/√r, not LoRA's α/r.
    pub(crate) fn scale(&self) -> f64 {
        self.alpha / (self.rank as f64).sqrt()
    }

    pub(crate) fn check(&self) -> Result<()> {
        let fail = |text: &str| Err(Error::Config(text.to_owned()));
        if self.rank == 0 || !(self.alpha.is_finite() && self.alpha != 0.0) {
            return fail("rank must be at least 1; alpha must be finite and not 0");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fail("dropout must be in [0, 1)");
        }
        let repeated = (1..self.projections.len())
            .any(|i| self.projections[..i].contains(&self.projections[i]));
        if self.projections.is_empty() || repeated {
            return fail("projections must list at least one of q, k, v, out, each at most once");
        }
        for &tower in self.encoder.towers() {
            let blocks = self.blocks.as_ref().map(|blocks| blocks.of(tower));
            let is_sorted = |blocks: &[usize]| blocks.is_sorted_by(|a, b| a < b);
            if blocks.is_some_and(|blocks| blocks.is_empty() || !is_sorted(blocks)) {
                return fail(
                    "blocks must list at least one block of each adapted tower, ascending",
                );
            }
        }
        if !self.template.contains("{}") {
            return fail("template must contain {}");
        }
        Ok(())
    }
}

impl Blocks {
    pub(crate) fn of(&self, tower: Tower) -> &[usize] {
        match tower {
            Tower::Text => &self.text,
            Tower::Image => &self.image,
        }
    }
}

impl Encoder {
    pub(crate) fn towers(self) -> &'static [Tower] {
        match self {
            Self::Both => &[Tower::Text, Tower::Image],
            Self::Text => &[Tower::Text],
            Self::Image => &[Tower::Image],
        }
    }
}

impl Projection {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Q => "q",
            Self::K => "k",
            Self::V => "v",
            Self::Out => "out",
        }
    }
}
