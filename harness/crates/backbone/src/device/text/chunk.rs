//! One chunk of prompts, forward and back.

use std::collections::HashMap;

use candle_core::{Result, Tensor};

use super::plan::Chunk;
use crate::block::Block;
use crate::device::accelerator::Accelerator;
use crate::device::block;
use crate::device::gradients::Gradients;
use crate::device::op::attention::Attention;
use crate::device::op::{linear, norm};
use crate::device::rows::Pick;
use crate::ops::{LayerNorm, Linear};
use crate::text::{Sequences, Source};

/// The tower's weights on the device.
pub(super) struct Model {
    pub(super) blocks: Vec<Block>,
    /// `[context length, D]`.
    pub(super) positions: Tensor,
    pub(super) ln_final: LayerNorm,
    pub(super) projection: Linear,
    pub(super) heads: usize,
}

/// Where the rows of a chunk come from.
pub(super) struct Rows {
    attention: Attention,
    /// From distinct tokens, then rows of the inputs.
    entry: Pick,
    tokens: Vec<u32>,
    positions: Tensor,
    replaced: HashMap<usize, Replaced>,
    ends: Pick,
}

/// Rows that are replaced at the input of a block.
struct Replaced {
    /// From the rows before it, then rows of the inputs.
    pick: Pick,
    /// `[R, 1]`: 1 for a row that stays, 0 for one that is replaced.
    stays: Tensor,
}

/// What the pull-back of a chunk reads.
pub(super) struct Trace {
    blocks: Vec<block::Saved>,
    pooled: Tensor,
}

impl Rows {
    pub(super) fn of(
        accelerator: &Accelerator,
        sequences: &Sequences,
        chunk: &Chunk,
        heads: usize,
        input_rows: usize,
    ) -> Result<Self> {
        let layout = chunk.layout;
        let count = layout.rows();
        // What stands at each row; rows after an end token are filled with the first.
        let mut at = vec![None; count];
        let mut ends = Vec::with_capacity(chunk.prompts.len());
        for (number, prompt) in chunk.prompts.clone().enumerate() {
            let row = &sequences.rows()[prompt];
            for (position, index) in row.iter().enumerate() {
                at[layout.row(number, position)] = Some((*index as usize, position));
            }
            ends.push(layout.row(number, row.len() - 1) as u32);
        }
        let filler = at.iter().flatten().next().copied().unwrap_or((0, 0));
        let mut tokens: Vec<u32> = Vec::new();
        let mut number_of: HashMap<u32, usize> = HashMap::new();
        for (index, _) in at.iter().flatten() {
            if let Source::Token(id) = sequences.source(*index) {
                number_of.entry(id).or_insert_with(|| {
                    tokens.push(id);
                    tokens.len() - 1
                });
            }
        }
        let source = |row: &Option<(usize, usize)>| {
            let (index, _) = row.unwrap_or(filler);
            match sequences.source(index) {
                Source::Token(id) => number_of[&id] as u32,
                Source::Input(input) => (tokens.len() + input) as u32,
            }
        };
        let is_padding = |row: usize| at[row].is_none();
        let entry: Vec<u32> = at.iter().map(source).collect();
        let table = (tokens.len(), tokens.len() + input_rows);
        let entry = Pick::new(accelerator, entry, table, is_padding)?;
        let positions = at.iter().map(|row| row.unwrap_or(filler).1 as u32);
        let positions = accelerator.index(positions.collect())?;
        let mut changes: HashMap<usize, Vec<u32>> = HashMap::new();
        for (row, place) in at.iter().enumerate() {
            let Some((index, _)) = place else { continue };
            for (layer, input) in sequences.replaced(*index) {
                let index = changes
                    .entry(*layer)
                    .or_insert_with(|| (0..count as u32).collect());
                index[row] = (count + input) as u32;
            }
        }
        let replaced = changes
            .into_iter()
            .map(|(layer, index)| {
                let stays = index.iter().enumerate();
                let stays = stays.map(|(row, from)| f32::from(u8::from(row == *from as usize)));
                let stays = Tensor::from_iter(stays, accelerator.device())?;
                let stays = stays.reshape((count, 1))?.to_dtype(accelerator.dtype())?;
                let pick = Pick::new(accelerator, index, (count, count + input_rows), |_| false)?;
                Ok((layer, Replaced { pick, stays }))
            })
            .collect::<Result<_>>()?;
        let placed = (accelerator.dtype(), accelerator.device());
        Ok(Self {
            attention: Attention::new(layout, heads, true, None, placed)?,
            entry,
            tokens,
            positions,
            replaced,
            ends: Pick::new(accelerator, ends, (0, count), |_| false)?,
        })
    }

    /// Distinct tokens, in the order in which the entry counts them.
    pub(super) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Features `[N, E]` of embedded tokens `[T, D]` and the rows of the inputs `[I, D]`.
    pub(super) fn forward(
        &self,
        model: &Model,
        tokens: &Tensor,
        inputs: Option<&Tensor>,
        keeps: bool,
    ) -> Result<(Tensor, Option<Trace>)> {
        let with_inputs = |rows: &Tensor| match inputs {
            Some(inputs) => Tensor::cat(&[rows, inputs], 0),
            None => Ok(rows.clone()),
        };
        let entered = match self.tokens.is_empty() {
            true => inputs.cloned(),
            false => Some(with_inputs(tokens)?),
        };
        let Some(entered) = entered else {
            candle_core::bail!("text tower: a request without tokens and inputs");
        };
        let places = model.positions.index_select(&self.positions, 0)?;
        let mut x = (self.entry.forward(&entered)? + places)?;
        let mut saved = Vec::with_capacity(model.blocks.len());
        for (layer, weights) in model.blocks.iter().enumerate() {
            if let Some(replaced) = self.replaced.get(&layer) {
                x = replaced.pick.forward(&with_inputs(&x)?)?;
            }
            let (y, kept) = block::forward(weights, &x, &self.attention)?;
            x = y;
            if keeps {
                saved.push(kept);
            }
        }
        let pooled = self.ends.forward(&x)?;
        let normal = norm::forward(&model.ln_final, &pooled)?;
        let features = linear::forward(&model.projection, &normal)?;
        let trace = keeps.then_some(Trace {
            blocks: saved,
            pooled,
        });
        Ok((features, trace))
    }

    /// Adds the gradients that features `[N, E]` send back, and gives that of the rows of the inputs
    /// `[I, D]`, if there are some; blocks below `lowest` are not passed.
    pub(super) fn pull(
        &self,
        model: &Model,
        trace: &Trace,
        features: &Tensor,
        lowest: usize,
        gradients: &mut Gradients,
    ) -> Result<Option<Tensor>> {
        let normal = linear::pull(&model.projection, None, features, gradients)?;
        let pooled = norm::pull(&model.ln_final, &trace.pooled, &normal, None, gradients)?;
        let Some(mut dx) = self.ends.pull(&pooled)? else {
            candle_core::bail!("text tower: no prompt to read");
        };
        let mut inputs: Option<Tensor> = None;
        let mut collect = |new: Option<Tensor>| -> Result<()> {
            inputs = match (inputs.take(), new) {
                (Some(sum), Some(new)) => Some((sum + new)?),
                (sum, new) => sum.or(new),
            };
            Ok(())
        };
        for (layer, weights) in model.blocks.iter().enumerate().skip(lowest).rev() {
            dx = block::pull(
                weights,
                &self.attention,
                &trace.blocks[layer],
                &dx,
                gradients,
            )?;
            if let Some(replaced) = self.replaced.get(&layer) {
                collect(replaced.pick.pull(&dx)?)?;
                dx = dx.broadcast_mul(&replaced.stays)?;
            }
        }
        if lowest == 0 {
            collect(self.entry.pull(&dx)?)?;
        }
        Ok(inputs)
    }
}
