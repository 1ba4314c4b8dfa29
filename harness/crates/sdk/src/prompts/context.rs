//! Learned context, which CoOp and its successors share.

use harness_abi::wire::{Setting, Site};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ClassPrompts;
use crate::{Error, Host, Init, Parameter, Result};

/// Length, initialisation and position of the context.
///
/// ```
/// use harness_sdk::Context;
/// // Sixteen vectors from N(0, 0.02²), in place of the embeddings of "a photo of a".
/// let context = Context {
///     length: 16,
///     init: None,
///     ..Context::default()
/// };
/// # assert_eq!(context.layer, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// M, the number of context vectors.
    pub length: usize,
    /// Words that initialise the context with their embeddings; `null` for N(0, 0.02²).
    /// Fewer than `length` tokens fill the last positions; of more, the last are used.
    pub init: Option<String>,
    /// Position of the class name in the prompt.
    pub class_token_position: ClassTokenPosition,
    /// Where the context enters: 0 is the text input; j replaces the words of `init` at the
    /// input of text block j, initialised from N(0, 0.02²).
    pub layer: usize,
}

/// Position of the class name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClassTokenPosition {
    /// After the context.
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
    ///
    /// # Errors
    /// [`Error::NotInjectable`] if the backbone has too few layers or too short a context.
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
                "needs a context length of more than {} tokens, {} has {}",
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

    /// Requires that the context enters at the text input, for methods that use the deeper
    /// blocks themselves.
    ///
    /// # Errors
    /// It enters at a deeper block.
    pub fn require_input(&self) -> Result<()> {
        match self.layer {
            0 => Ok(()),
            layer => Err(Error::Config(format!(
                "context.layer must be 0 for this method, found {layer}"
            ))),
        }
    }

    /// The class prompts, tokenised by the host.
    ///
    /// # Errors
    /// The class names cannot be tokenised.
    pub fn prompts(&self, host: &Host) -> Result<ClassPrompts> {
        self.prompts_with_suffix(host, ".")
    }

    /// As [`Self::prompts`], with another text after the class name than a period.
    ///
    /// # Errors
    /// As for [`Self::prompts`].
    pub fn prompts_with_suffix(&self, host: &Host, suffix: &str) -> Result<ClassPrompts> {
        let names = host.class_names();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}{suffix}")).collect();
        let mut tokenized = host.tokenize(&texts)?;
        for row in &mut tokenized.rows {
            row.push(tokenized.end_of_text);
        }
        Ok(ClassPrompts {
            start: tokenized.start_of_text,
            names: tokenized.rows,
            placeholder: match self.layer {
                0 => vec![],
                _ => self.placeholder(host)?,
            },
            layer: self.layer,
        })
    }

    /// Ids in the context's positions at the input when it enters at a deeper block: the
    /// words of `init`, preceded by an `x` for every position left.
    fn placeholder(&self, host: &Host) -> Result<Vec<u32>> {
        let words = self.init.as_deref().unwrap_or_default();
        let rows = host.tokenize(&["x", words])?.rows;
        let x = rows[0].first().copied().ok_or_else(|| {
            Error::NotInjectable("the tokenizer has no token for the word x".into())
        })?;
        let words = &rows[1][rows[1].len().saturating_sub(self.length)..];
        let mut ids = vec![x; self.length - words.len()];
        ids.extend_from_slice(words);
        Ok(ids)
    }
}
