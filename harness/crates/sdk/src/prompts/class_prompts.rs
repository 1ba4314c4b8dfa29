//! Class prompts with a learned context.

use candle_core::Tensor;

use crate::{Host, Prompts, Result};

/// `[SOS] context name . [EOS]` for every class of the task.
#[derive(Clone, Debug)]
pub struct ClassPrompts {
    pub(super) start: u32,
    /// Ids of `name . [EOS]`.
    pub(super) names: Vec<Vec<u32>>,
    /// Ids in the context's positions at the input, if it enters at a deeper block.
    pub(super) placeholder: Vec<u32>,
    pub(super) layer: usize,
}

impl ClassPrompts {
    /// Unnormalised text features `[C, E]` with a context `[M, D]` or `[C, M, D]`.
    ///
    /// # Errors
    /// The context does not fit the text tower.
    pub fn encode(&self, host: &Host, context: &Tensor) -> Result<Tensor> {
        Ok(self.with_context(context)?.encode(host)?.squeeze(0)?)
    }

    /// The prompts with a context `[M, D]`, `[C, M, D]` or, in G groups,
    /// `[G, C|1, M, D]`; edits at deeper sites can be added.
    ///
    /// # Errors
    /// The context has another number of dimensions.
    pub fn with_context(&self, context: &Tensor) -> Result<Prompts> {
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
