//! The text tower's weights by layer, under names that are the same for every layout.

use candle_core::Tensor;

use super::tower::TextTower;
use crate::block::Block;
use crate::error::Result;
use crate::modules::Module;
use crate::ops::{LayerNorm, Linear, WeightLayout};

/// A weight of the text tower. Linear maps are `[out, in]` whatever the checkpoint's layout, and
/// queries, keys and values are apart.
#[derive(Debug, Clone)]
pub struct TextParameter {
    /// 0 for the embeddings, 1 to L for the blocks, L + 1 for the last norm and the projection.
    pub layer: usize,
    /// Such as `blocks.0.attn.q.weight`.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
}

impl TextTower {
    /// Every weight of the tower, from its input to its output.
    ///
    /// # Errors
    /// When a tensor cannot be split or transposed.
    pub fn parameters(&self) -> Result<Vec<TextParameter>> {
        let mut list = List::default();
        list.push("token_embedding", &self.token_embedding);
        list.push("positional_embedding", &self.positions);
        for (index, block) in self.blocks.iter().enumerate() {
            list.layer = index + 1;
            list.block(&format!("blocks.{index}."), block)?;
        }
        list.layer = self.blocks.len() + 1;
        list.norm("ln_final", &self.ln_final);
        list.linear("projection", &self.projection)?;
        Ok(list.parameters)
    }
}

#[derive(Default)]
struct List {
    layer: usize,
    parameters: Vec<TextParameter>,
}

impl List {
    fn push(&mut self, name: &str, tensor: &Tensor) {
        self.parameters.push(TextParameter {
            layer: self.layer,
            name: name.to_owned(),
            tensor: tensor.clone(),
        });
    }

    fn norm(&mut self, name: &str, norm: &LayerNorm) {
        self.push(&format!("{name}.weight"), &norm.weight);
        self.push(&format!("{name}.bias"), &norm.bias);
    }

    fn linear(&mut self, name: &str, linear: &Linear) -> Result<()> {
        let weight = match linear.layout {
            WeightLayout::OutIn => linear.weight.clone(),
            WeightLayout::InOut => linear.weight.t()?,
        };
        self.push(&format!("{name}.weight"), &weight);
        if let Some(bias) = &linear.bias {
            self.push(&format!("{name}.bias"), bias);
        }
        Ok(())
    }

    fn block(&mut self, at: &str, block: &Block) -> Result<()> {
        for (name, module) in block.modules()? {
            let name = format!("{at}{name}");
            match module {
                Module::Norm(norm) => self.norm(&name, norm),
                Module::Linear(map) => self.linear(&name, &map)?,
                Module::Bias(bias) => self.push(&format!("{name}.bias"), bias),
            }
        }
        Ok(())
    }
}
