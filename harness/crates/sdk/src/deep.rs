//! Learned tokens at the inputs of several blocks, as MaPLe and its kin place them.

use candle_core::Tensor;
use harness_abi::wire::{Setting, Tower};

use crate::{Batch, Bench, Edits, Error, Init, Parameter, Prompts, Result};

/// Prompts `[SOS] learned words name . [EOS]` for every class.
///
/// Of the words of a template's beginning the first are learned, the others stay:
/// of "a photo of a" with two learned tokens, "of a".
#[derive(Clone, Debug)]
pub struct DeepText {
    start: u32,
    rows: Vec<Vec<u32>>,
}

impl DeepText {
    /// Tokens of the class prompts from the backbone at hand.
    pub fn new(bench: &Bench, words: &str, learned: usize) -> Result<Self> {
        let (_, rest) = split(words, learned);
        let names = bench.class_names();
        let texts: Vec<String> = names
            .iter()
            .map(|name| format!("{rest} {name}.").trim_start().to_owned())
            .collect();
        let mut tokenized = bench.tokenize(&texts)?;
        for row in &mut tokenized.rows {
            row.push(tokenized.end_of_text);
        }
        Ok(Self {
            start: tokenized.start_of_text,
            rows: tokenized.rows,
        })
    }

    /// One parameter `[n, D]` for each name. The first, at the input, begins with the
    /// embeddings of the words it replaces.
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
                .beginning(Init::Words(split(words, learned).0));
        }
        Ok(parameters)
    }

    /// Text features `[C, E]`, unnormalised. `layers[0]` `[n, D]` stands at positions
    /// 1 to n of the input, `layers[j]` takes those places at the input of block j.
    pub fn encode(&self, bench: &Bench, layers: &[&Tensor]) -> Result<Tensor> {
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
        Ok(prompts.encode(bench)?.squeeze(0)?)
    }
}

/// The first `learned` words and the others.
fn split(words: &str, learned: usize) -> (String, String) {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (first, rest) = words.split_at(learned.min(words.len()));
    (first.join(" "), rest.join(" "))
}

/// Image features `[B, E]` with tokens `layers[0]` `[n, D]` appended at the image
/// input; `layers[j]` takes their places at the input of block j.
pub fn deep_images(bench: &Bench, batch: &Batch, layers: &[&Tensor]) -> Result<Tensor> {
    let [input, deeper @ ..] = layers else {
        return Err(Error::Config("deep prompts: no tokens".into()));
    };
    let mut edits = Edits::of(Tower::Image).append(input)?;
    for (layer, tokens) in (1..).zip(deeper) {
        edits = edits.replace(layer, tokens.dim(0)?, tokens)?;
    }
    bench.encode_image(batch, &edits)
}

/// Names of a tower's tokens: `first` at the input, `deeper1` at block 1, and so on.
pub fn layer_names(first: &str, deeper: &str, depth: usize) -> Vec<String> {
    let deeper = (1..depth).map(|layer| format!("{deeper}{layer}"));
    std::iter::once(first.to_owned()).chain(deeper).collect()
}

/// Blocks of a tower that a prompt of some depth enters: at most all of them.
pub fn prompted_blocks(setting: &Setting, tower: Tower, depth: usize) -> usize {
    let backbone = &setting.backbone;
    depth.min(match tower {
        Tower::Text => backbone.text.layers,
        Tower::Image => backbone.image.layers,
    })
}

/// One parameter `[n, D]` of a tower for each name, beginning from N(0, 0.02²).
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
            "needs a context of more than {} tokens, {} has {}",
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
