//! Independent prompts in both towers.

use candle_core::Tensor;
use harness_abi::wire::{Setting, Tower};

use super::deep::{
    DeepTextPrompts, encode_deep_images, layer_names, prompt_parameters, prompted_blocks,
};
use crate::{Batch, Error, Host, Parameter, Parameters, Result};

/// Number and depth of the tokens.
#[derive(Clone, Copy, Debug)]
pub struct TowerPromptsShape<'c> {
    /// Learned tokens per text block; at the input they replace the first words of `init`.
    pub text_tokens: usize,
    /// Learned tokens per image block.
    pub image_tokens: usize,
    /// Blocks of each tower with their own tokens, at most all.
    pub depth: usize,
    /// Words before the class name; those not replaced stay.
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
        let mut parameters =
            DeepTextPrompts::parameters(setting, self.init, self.text_tokens, &text)?;
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

/// Prompts of both towers for the classes of the task.
#[derive(Clone, Debug)]
pub struct TowerPrompts {
    prompts: DeepTextPrompts,
    text: Vec<String>,
    image: Vec<String>,
}

impl TowerPrompts {
    /// The class prompts, tokenised by the host.
    ///
    /// # Errors
    /// The class names cannot be tokenised.
    pub fn new(host: &Host, shape: TowerPromptsShape<'_>) -> Result<Self> {
        let (text, image) = shape.names(host.setting());
        Ok(Self {
            prompts: DeepTextPrompts::new(host, shape.init, shape.text_tokens)?,
            text,
            image,
        })
    }

    /// Unnormalised text features `[C, E]`.
    ///
    /// # Errors
    /// A parameter is missing, or the host cannot encode.
    pub fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        self.prompts.encode(host, &parameters.get_all(&self.text)?)
    }

    /// Unnormalised image features `[B, E]`.
    ///
    /// # Errors
    /// As for [`Self::classifier`].
    pub fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        encode_deep_images(host, batch, &parameters.get_all(&self.image)?)
    }
}
