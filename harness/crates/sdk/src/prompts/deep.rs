//! Learned tokens at the inputs of several blocks, as in VPT, MaPLe and PromptSRC.

use candle_core::Tensor;
use harness_abi::wire::{Setting, Tower};

use super::{Edits, Prompts};
use crate::{Batch, Error, Host, Init, Parameter, Result};

/// Prompts `[SOS] learned words name . [EOS]` for every class.
///
/// Learned tokens take the place of the first words of a template, the others stay: with
/// two learned tokens, "a photo of a" keeps "of a".
#[derive(Clone, Debug)]
pub struct DeepTextPrompts {
    start: u32,
    rows: Vec<Vec<u32>>,
}

impl DeepTextPrompts {
    /// The class prompts, tokenised by the host.
    ///
    /// # Errors
    /// The class names cannot be tokenised.
    pub fn new(host: &Host, words: &str, learned: usize) -> Result<Self> {
        let (_, rest) = split(words, learned);
        let names = host.class_names();
        let texts: Vec<String> = names
            .iter()
            .map(|name| format!("{rest} {name}.").trim_start().to_owned())
            .collect();
        let mut tokenized = host.tokenize(&texts)?;
        for row in &mut tokenized.rows {
            row.push(tokenized.end_of_text);
        }
        Ok(Self {
            start: tokenized.start_of_text,
            rows: tokenized.rows,
        })
    }

    /// One parameter `[n, D]` per name. The first, at the input, is initialised with the
    /// embeddings of the words it replaces.
    ///
    /// # Errors
    /// No token, or more than the context of the text tower holds.
    pub fn parameters(
        setting: &Setting,
        words: &str,
        learned: usize,
        names: &[String],
    ) -> Result<Vec<Parameter>> {
        let names = names.iter().map(String::as_str);
        let mut parameters = prompt_parameters(setting, Tower::Text, learned, names)?;
        if let Some(input) = parameters.first_mut() {
            *input = input
                .clone()
                .with_init(Init::Words(split(words, learned).0));
        }
        Ok(parameters)
    }

    /// Unnormalised text features `[C, E]`. `layers[0]` `[n, D]` is at positions 1 to n of
    /// the input; `layers[j]` replaces them at the input of block j.
    ///
    /// # Errors
    /// No layer, or tokens that do not fit the text tower.
    pub fn encode(&self, host: &Host, layers: &[&Tensor]) -> Result<Tensor> {
        let [input, deeper @ ..] = layers else {
            return Err(Error::Config("deep prompts: no tokens".into()));
        };
        let mut prompts = Prompts::new(self.rows.len())
            .tokens(&[self.start])
            .context(input)?
            .class_tokens(&self.rows);
        for (layer, tokens) in (1..).zip(deeper) {
            prompts = prompts.replace(layer, 1, tokens)?;
        }
        Ok(prompts.encode(host)?.squeeze(0)?)
    }
}

/// The first `learned` words and the rest.
fn split(words: &str, learned: usize) -> (String, String) {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (first, rest) = words.split_at(learned.min(words.len()));
    (first.join(" "), rest.join(" "))
}

/// Unnormalised image features `[B, E]` with tokens `layers[0]` `[n, D]` appended at the
/// image input; `layers[j]` replaces them at the input of block j.
///
/// # Errors
/// No layer, or tokens that do not fit the image tower.
pub fn encode_deep_images(host: &Host, batch: &Batch, layers: &[&Tensor]) -> Result<Tensor> {
    let [input, deeper @ ..] = layers else {
        return Err(Error::Config("deep prompts: no tokens".into()));
    };
    let mut edits = Edits::new(Tower::Image).append(input)?;
    for (layer, tokens) in (1..).zip(deeper) {
        edits = edits.replace(layer, tokens.dim(0)?, tokens)?;
    }
    host.encode_image(batch, &edits)
}

/// Parameter names of a tower: `first` at the input, `deeper1` at block 1, and so on.
pub fn layer_names(first: &str, deeper: &str, depth: usize) -> Vec<String> {
    let deeper = (1..depth).map(|layer| format!("{deeper}{layer}"));
    std::iter::once(first.to_owned()).chain(deeper).collect()
}

/// Number of blocks that a prompt of some depth enters: at most all of the tower.
pub fn prompted_blocks(setting: &Setting, tower: Tower, depth: usize) -> usize {
    let backbone = &setting.backbone;
    depth.min(match tower {
        Tower::Text => backbone.text.layers,
        Tower::Image => backbone.image.layers,
    })
}

/// One parameter `[n, D]` of a tower per name, initialised from N(0, 0.02²).
///
/// # Errors
/// No token, or more than the context of the text tower holds.
pub fn prompt_parameters<'n>(
    setting: &Setting,
    tower: Tower,
    tokens: usize,
    names: impl Iterator<Item = &'n str>,
) -> Result<Vec<Parameter>> {
    let backbone = &setting.backbone;
    if tokens == 0 {
        return Err(Error::Config("there must be at least one token".into()));
    }
    let width = match tower {
        Tower::Text => backbone.text.width,
        Tower::Image => backbone.image.width,
    };
    // Start, at least one name token, period and end.
    if tower == Tower::Text && tokens + 4 > backbone.text.context_length {
        return Err(Error::NotInjectable(format!(
            "needs a context length of more than {} tokens, {} has {}",
            tokens + 3,
            backbone.name,
            backbone.text.context_length
        )));
    }
    let init = Init::Normal { std: 0.02 };
    Ok(names
        .map(|name| Parameter::new(name, &[tokens, width], init.clone()))
        .collect())
}
