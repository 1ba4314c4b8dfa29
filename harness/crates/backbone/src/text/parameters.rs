//! The text tower's weights by layer, under names that are the same for every layout.

use candle_core::Tensor;

use super::tower::TextTower;
use crate::block::{Block, Mlp, Packing};
use crate::error::Result;
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
        self.norm(&format!("{at}ln_1"), &block.ln_1);
        let maps = ["q", "k", "v"].map(|part| format!("{at}attn.{part}"));
        match &block.packing {
            Packing::Packed { map, .. } => {
                for (part, name) in maps.iter().enumerate() {
                    self.linear(name, &third(map, part)?)?;
                }
            }
            Packing::Split(parts) => {
                for (part, name) in parts.iter().zip(&maps) {
                    self.linear(name, part)?;
                }
            }
        }
        self.linear(&format!("{at}attn.out"), &block.out)?;
        self.norm(&format!("{at}ln_2"), &block.ln_2);
        // The text towers of the CLIP family are plain, whatever stands beside them.
        if let Mlp::Plain { up, down, .. } = &block.mlp {
            self.linear(&format!("{at}mlp.fc"), up)?;
            self.linear(&format!("{at}mlp.proj"), down)?;
        }
        Ok(())
    }
}

/// One of the three maps that lie one above the other.
fn third(map: &Linear, part: usize) -> Result<Linear> {
    let rows = map.weight.dim(0)? / 3;
    let bias = map.bias.as_ref();
    let bias = bias.map(|bias| bias.narrow(0, part * rows, rows));
    Ok(Linear::new(
        map.weight.narrow(0, part * rows, rows)?,
        bias.transpose()?,
    ))
}
