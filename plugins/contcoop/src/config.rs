//! Configuration of ContCoOp and the choices the paper leaves open.

use harness_sdk::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of ContCoOp. The paper specifies only an attention layer between prompts
/// and class embeddings and the loss L_ce + lambda L_kd; every default here is our own
/// choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The learned context.
    pub(crate) context: Context,
    /// What the context attends to.
    pub(crate) class_embedding: ClassEmbedding,
    /// Leaves a part of the method out, to see what it contributes.
    #[serde(skip_serializing_if = "Ablation::is_none")]
    pub(crate) ablation: Ablation,
    /// Attention heads; `null` for one per 64 of the text width.
    pub(crate) heads: Option<usize>,
    /// Whether the four projections have biases.
    pub(crate) bias: bool,
    /// Initialisation of the output projection. `zero` starts with the prompt alone.
    pub(crate) output_init: OutputInit,
    /// Weight of the distillation loss.
    pub(crate) lambda: f64,
    /// Temperature of `kl` distillation.
    pub(crate) temperature: f64,
    /// Form of the distillation loss.
    pub(crate) distillation: Distillation,
}

/// What the context attends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassEmbedding {
    /// Cross-attention to the token embeddings of the class name.
    NameTokens,
    /// Self-attention over the context and the zero-shot text feature.
    TextFeature,
}

/// What is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ablation {
    /// Nothing: class embeddings are recomputed on every backbone.
    #[default]
    None,
    /// The recomputation: the source's class embeddings are carried in the module and used
    /// unchanged on targets. The tokens of the class names in the prompt stay the host's.
    Frozen,
    /// The match of class and embedding: each class gets that of another one, in training
    /// and on targets, by a fixed permutation of the data set's classes.
    Permuted,
    /// The attention to class embeddings: a plain context, trained with the same loss.
    ContextOnly,
}

impl Ablation {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Initialisation of the output projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputInit {
    /// All 0.
    Zero,
    /// N(0, 0.02²): all projections get a gradient in the first step.
    SmallNormal,
}

/// Form of L_kd; the teacher is the source's zero-shot classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distillation {
    /// T² · KL(teacher || student) of the class probabilities.
    Kl,
    /// 1 - mean cos of the text features (KgCoOp's form).
    Cosine,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: Context::default(),
            class_embedding: ClassEmbedding::NameTokens,
            ablation: Ablation::None,
            heads: None,
            bias: true,
            output_init: OutputInit::Zero,
            lambda: 1.0,
            temperature: 1.0,
            distillation: Distillation::Kl,
        }
    }
}

impl Config {
    /// The number of heads for a text width.
    pub(crate) fn heads(&self, width: usize) -> Result<usize> {
        let heads = self.heads.unwrap_or((width / 64).max(1));
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(Error::NotInjectable(format!(
                "{heads} attention heads do not divide the text width {width}; set `heads`"
            )));
        }
        Ok(heads)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            return Err(Error::Config(format!(
                "lambda must not be negative, found {}",
                self.lambda
            )));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(Error::Config(format!(
                "temperature must be positive, found {}",
                self.temperature
            )));
        }
        Ok(())
    }
}
