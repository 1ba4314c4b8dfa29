//! Prompts in both towers that know nothing of each other.

use candle_core::Tensor;
use harness_abi::wire::{Setting, Tower};

use crate::deep::{DeepText, deep_images, layer_names, prompt_parameters, prompted_blocks};
use crate::{Batch, Bench, Error, Parameter, Parameters, Result};

/// How many tokens, and how deep.
#[derive(Clone, Copy, Debug)]
pub struct TowerPromptsShape<'c> {
    /// Learned tokens in a text block; the first words of `init` at the input.
    pub text_tokens: usize,
    /// Learned tokens in an image block.
    pub image_tokens: usize,
    /// Blocks of each tower with tokens of their own; never more than there are.
    pub depth: usize,
    /// Words before the class name; those that are not learned stay.
    pub init: &'c str,
}

impl TowerPromptsShape<'_> {
    fn names(&self, setting: &Setting) -> (Vec<String>, Vec<String>) {
        let depth = |tower| prompted_blocks(setting, tower, self.depth);
        (
            layer_names("ctx", "text", depth(Tower::Text)),
            layer_names("tokens", "image", depth(Tower::Image)),
        )
    }

    /// `ctx`, `text1`, … `[text_tokens, D]`, then `tokens`, `image1`, … `[image_tokens, D]`.
    ///
    /// # Errors
    /// No token or no block, or more tokens than the text tower's context holds.
    pub fn parameters(&self, setting: &Setting) -> Result<Vec<Parameter>> {
        if self.depth == 0 {
            return Err(Error::Config("depth must be at least 1".into()));
        }
        let (text, image) = self.names(setting);
        let mut parameters = DeepText::parameters(setting, self.init, self.text_tokens, &text)?;
        let image = image.iter().map(String::as_str);
        parameters.extend(prompt_parameters(
            setting,
            Tower::Image,
            self.image_tokens,
            image,
        )?);
        Ok(parameters)
    }
}

/// Prompts of both towers for the classes at hand.
#[derive(Clone, Debug)]
pub struct TowerPrompts {
    prompts: DeepText,
    text: Vec<String>,
    image: Vec<String>,
}

impl TowerPrompts {
    /// Tokens of the class prompts from the backbone at hand.
    ///
    /// # Errors
    /// When the class names cannot be tokenized.
    pub fn new(bench: &Bench, shape: TowerPromptsShape<'_>) -> Result<Self> {
        let (text, image) = shape.names(bench.setting());
        Ok(Self {
            prompts: DeepText::new(bench, shape.init, shape.text_tokens)?,
            text,
            image,
        })
    }

    /// Text features `[C, E]`, unnormalised.
    ///
    /// # Errors
    /// A parameter is missing, or the host cannot encode.
    pub fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Tensor> {
        self.prompts.encode(bench, &parameters.all(&self.text)?)
    }

    /// Image features `[B, E]`, unnormalised.
    ///
    /// # Errors
    /// As for [`Self::classifier`].
    pub fn images(&self, bench: &Bench, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        deep_images(bench, batch, &parameters.all(&self.image)?)
    }
}
