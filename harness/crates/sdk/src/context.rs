//! Learned context, the part that CoOp and its descendants share.

use candle_core::Tensor;
use harness_abi::wire::{Setting, Site};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bench, Error, Init, Parameter, Prompts, Result};

/// Where the context stands, how long it is and how it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// M, the number of context vectors.
    pub length: usize,
    /// Words whose embeddings the context begins with; `null` for N(0, 0.02²).
    /// Fewer words than `length` fill the last places, of more the last count.
    pub init: Option<String>,
    /// Position of the class name in the prompt.
    pub class_token_position: ClassTokenPosition,
    /// Where the context enters: 0 is the text input; j replaces the words of
    /// `init` at the input of text block j, beginning from N(0, 0.02²).
    pub layer: usize,
}

/// Position of the class name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassTokenPosition {
    End,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            length: 4,
            init: Some("a photo of a".to_owned()),
            class_token_position: ClassTokenPosition::End,
            layer: 0,
        }
    }
}

impl Context {
    /// The context as a parameter: `[M, D]`, or `[C, M, D]` when class-specific.
    /// Fails where the backbone has no such layer or too short a context.
    pub fn parameter(
        &self,
        name: &str,
        setting: &Setting,
        class_specific: bool,
    ) -> Result<Parameter> {
        let text = &setting.backbone.text;
        if self.length == 0 {
            return Err(Error::Config("context.length must be at least 1".into()));
        }
        // Start, at least one name token, period and end.
        if self.length + 4 > text.context_length {
            return Err(Error::NotInjectable(format!(
                "needs a context of more than {} tokens, {} has {}",
                self.length + 3,
                setting.backbone.name,
                text.context_length
            )));
        }
        if self.layer >= text.layers {
            return Err(Error::NotInjectable(format!(
                "needs text block {}, {} has {} text blocks (0 to {})",
                self.layer,
                setting.backbone.name,
                text.layers,
                text.layers.saturating_sub(1)
            )));
        }
        let site = if self.layer == 0 {
            Site::TextInput
        } else {
            Site::TextBlock
        };
        if !setting.backbone.sites.contains(&site) {
            return Err(Error::NotInjectable(format!(
                "needs the site {site:?}, which {} does not offer",
                setting.backbone.name
            )));
        }
        let mut shape = vec![self.length, text.width];
        if class_specific {
            shape.insert(0, setting.task.classes.len());
        }
        let init = match &self.init {
            Some(words) if self.layer == 0 => Init::Words(words.clone()),
            _ => Init::Normal { std: 0.02 },
        };
        let parameter = Parameter::new(name, &shape, init);
        Ok(if class_specific {
            parameter.per_class(0)
        } else {
            parameter
        })
    }

    /// Refuses a context that enters deeper than the text input, for methods that
    /// put something else there.
    pub fn at_input(&self) -> Result<()> {
        match self.layer {
            0 => Ok(()),
            layer => Err(Error::Config(format!(
                "context.layer must be 0 in this method, found {layer}"
            ))),
        }
    }

    /// Tokens of the class prompts from the backbone at hand.
    pub fn prompts(&self, bench: &Bench) -> Result<ClassPrompts> {
        let names = bench.class_names();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}.")).collect();
        let mut tokenized = bench.tokenize(&texts)?;
        for row in &mut tokenized.rows {
            row.push(tokenized.end_of_text);
        }
        Ok(ClassPrompts {
            start: tokenized.start_of_text,
            names: tokenized.rows,
            placeholder: match self.layer {
                0 => vec![],
                _ => self.placeholder(bench)?,
            },
            layer: self.layer,
        })
    }

    /// Ids that hold the context's places at the input when it enters deeper:
    /// the words of `init`, after an `x` for every place that they leave.
    fn placeholder(&self, bench: &Bench) -> Result<Vec<u32>> {
        let words = self.init.as_deref().unwrap_or_default();
        let rows = bench.tokenize(&["x", words])?.rows;
        let x = rows[0].first().copied().ok_or_else(|| {
            Error::NotInjectable("the tokenizer has no token for the word x".into())
        })?;
        let words = &rows[1][rows[1].len().saturating_sub(self.length)..];
        let mut ids = vec![x; self.length - words.len()];
        ids.extend_from_slice(words);
        Ok(ids)
    }
}

/// `[SOS] context name . [EOS]` for every class of the task.
#[derive(Clone, Debug)]
pub struct ClassPrompts {
    start: u32,
    names: Vec<Vec<u32>>,
    placeholder: Vec<u32>,
    layer: usize,
}

impl ClassPrompts {
    /// Text features `[C, E]`, unnormalised, with a context `[M, D]` or `[C, M, D]`.
    pub fn encode(&self, bench: &Bench, context: &Tensor) -> Result<Tensor> {
        Ok(self.with(context)?.encode(bench)?.squeeze(0)?)
    }

    /// The prompts with a context `[M, D]`, `[C, M, D]` or, in G groups,
    /// `[G, C|1, M, D]`; edits at deeper sites may follow.
    pub fn with(&self, context: &Tensor) -> Result<Prompts> {
        let groups = match context.dims() {
            [groups, _, _, _] => *groups,
            _ => 1,
        };
        let prompts = Prompts::grouped(groups, self.names.len()).tokens(&[self.start]);
        if self.layer == 0 {
            Ok(prompts.context(context)?.class_tokens(&self.names))
        } else {
            prompts
                .tokens(&self.placeholder)
                .class_tokens(&self.names)
                .replace(self.layer, 1, context)
        }
    }
}
