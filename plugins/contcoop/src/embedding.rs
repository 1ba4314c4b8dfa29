//! Class embeddings, from the host's backbone.

use harness_sdk::{Device, Error, Host, Result, Tensor};

use crate::config::ClassEmbedding;

/// What the context attends to, for every class.
pub(crate) struct ClassEmbeddings {
    /// `[C, S, D]`
    rows: Tensor,
    /// `[C, S]`: 0 for a row, -1e9 for padding.
    mask: Tensor,
    /// Whether the context also attends to itself.
    with_context: bool,
}

impl ClassEmbeddings {
    /// Computes the embeddings; `zero_shot` are the text features `[C, E]`.
    pub(crate) fn new(kind: ClassEmbedding, host: &Host, zero_shot: &Tensor) -> Result<Self> {
        match kind {
            ClassEmbedding::NameTokens => Self::name_tokens(host),
            ClassEmbedding::TextFeature => Self::text_feature(host, zero_shot),
        }
    }

    fn name_tokens(host: &Host) -> Result<Self> {
        let names = host.tokenize(&host.class_names())?.rows;
        let longest = names.iter().map(Vec::len).max().unwrap_or(0);
        let mut ids = vec![];
        let mut mask = vec![];
        for name in &names {
            let Some(&first) = name.first() else {
                return Err(Error::NotInjectable(
                    "a class name has no tokens and so no class embedding".into(),
                ));
            };
            let pad = longest - name.len();
            ids.extend(name.iter().copied().chain(std::iter::repeat_n(first, pad)));
            mask.extend(std::iter::repeat_n(0f32, name.len()));
            mask.extend(std::iter::repeat_n(-1e9f32, pad));
        }
        let width = host.setting().backbone.text.width;
        let rows = host.token_embeddings(&ids)?;
        Ok(Self {
            rows: rows.reshape((names.len(), longest, width))?,
            mask: Tensor::from_vec(mask, (names.len(), longest), &Device::Cpu)?,
            with_context: false,
        })
    }

    /// The feature as one more token, zero-padded to the text width.
    fn text_feature(host: &Host, zero_shot: &Tensor) -> Result<Self> {
        let (classes, embed) = zero_shot.dims2()?;
        let width = host.setting().backbone.text.width;
        let Some(pad) = width.checked_sub(embed) else {
            return Err(Error::NotInjectable(format!(
                "text features of dimension {embed} do not fit the text width {width}"
            )));
        };
        let mask = Tensor::zeros((classes, 1), zero_shot.dtype(), &Device::Cpu)?;
        Ok(Self {
            rows: zero_shot.pad_with_zeros(1, 0, pad)?.unsqueeze(1)?,
            mask,
            with_context: true,
        })
    }

    /// Input of keys and values `[C, S, D]` and mask `[C, S]` for a context `[M, D]`.
    pub(crate) fn attended(&self, context: &Tensor) -> Result<(Tensor, Tensor)> {
        if !self.with_context {
            return Ok((self.rows.clone(), self.mask.clone()));
        }
        let classes = self.rows.dim(0)?;
        let (length, width) = context.dims2()?;
        let context = context.broadcast_as((classes, length, width))?;
        let counts = Tensor::zeros((classes, length), context.dtype(), &Device::Cpu)?;
        Ok((
            Tensor::cat(&[&context.contiguous()?, &self.rows], 1)?,
            Tensor::cat(&[&counts, &self.mask], 1)?,
        ))
    }
}
