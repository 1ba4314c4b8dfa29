//! The tower as one differentiable operation of the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor, TensorId};

use super::chunk::{Model, Rows, Trace};
use super::plan::{Chunk, chunks};
use crate::block::Block;
use crate::device::accelerator::Accelerator;
use crate::device::inputs::{Inputs, Placed};
use crate::error::Result;
use crate::ops::view::tensor;
use crate::text::{Sequences, TextTower};

/// Features `[N, E]` of sequences whose prompts lie in `groups` equal runs. `own` is the tower
/// before its edits.
pub(crate) fn encode(
    own: &TextTower,
    tower: &TextTower,
    accelerator: &Arc<Accelerator>,
    mut sequences: Sequences,
    groups: usize,
) -> Result<Tensor> {
    let has_dropout = tower.blocks.iter().any(Block::has_dropout);
    if has_dropout {
        // No two rows are alike then.
        sequences = sequences.without_sharing();
    }
    let mut inputs = Inputs::default();
    let rows: Vec<Tensor> = sequences.inputs().to_vec();
    for tensor in &rows {
        inputs.push(tensor)?;
    }
    for (own, edited) in own.blocks.iter().zip(&tower.blocks) {
        inputs.push_changes(own, edited)?;
    }
    inputs.push_norm(&own.ln_final, &tower.ln_final)?;
    let operation = Operation {
        lowest: lowest(own, tower, &sequences),
        has_dropout,
        tower: tower.clone(),
        accelerator: Arc::clone(accelerator),
        sequences,
        groups,
        rows,
        saved: Mutex::default(),
        inputs,
    };
    let flat = operation.inputs.flat()?;
    match flat {
        Some(flat) if flat.track_op() => Ok(flat.apply_op1(operation)?),
        flat => Ok(accelerator.watch(operation.forward(flat.as_ref(), false))?),
    }
}

/// The lowest block that a gradient must reach.
fn lowest(own: &TextTower, tower: &TextTower, sequences: &Sequences) -> usize {
    let top = tower.blocks.len();
    let tracked = |own: &Block, edited: &Block| {
        let own: Vec<TensorId> = own.tensors().into_iter().map(Tensor::id).collect();
        let mut changed = edited.tensors().into_iter();
        changed.any(|t| t.track_op() && !own.contains(&t.id()))
    };
    let mut blocks = own.blocks.iter().zip(&tower.blocks);
    let edited = blocks.position(|(own, edited)| tracked(own, edited));
    edited.unwrap_or(top).min(sequences.lowest_tracked(top))
}

struct Operation {
    tower: TextTower,
    accelerator: Arc<Accelerator>,
    sequences: Sequences,
    groups: usize,
    /// Tensors `[.., D]` that rows come from.
    rows: Vec<Tensor>,
    inputs: Inputs,
    lowest: usize,
    /// Masks count the rows of a request through, so it is computed as one.
    has_dropout: bool,
    saved: Mutex<Option<Saved>>,
}

/// A request on the device between its forward pass and its pull-back.
struct Saved {
    model: Model,
    placed: HashMap<TensorId, Tensor>,
    input_rows: Option<Tensor>,
    chunks: Vec<(Chunk, Rows, Option<Trace>)>,
}

impl Operation {
    fn forward(&self, flat: Option<&Tensor>, keeps: bool) -> candle_core::Result<Tensor> {
        let accelerator = &*self.accelerator;
        let flat = flat
            .map(|flat| flat.detach().to_device(accelerator.device()))
            .transpose()?;
        let placed = self.inputs.placed(accelerator, flat.as_ref())?;
        let model = self.model(&placed)?;
        let input_rows = self.input_rows(&placed)?;
        let input_count = input_rows.as_ref().map_or(Ok(0), |rows| rows.dim(0))?;
        let row_bytes = self.row_bytes();
        let most = (self.tower.activation_limit / row_bytes.max(1)).max(1);
        // Chunks are halves of what may be kept at most, so that the last one fits beside it.
        let largest = if self.has_dropout {
            usize::MAX
        } else {
            (most / 2).max(1)
        };
        let parts = chunks(&self.sequences, self.groups, largest);
        let mut room = if self.has_dropout { usize::MAX } else { most };
        let mut features = Vec::with_capacity(parts.len());
        let mut done = Vec::with_capacity(parts.len());
        for chunk in parts {
            let rows = Rows::of(
                accelerator,
                &self.sequences,
                &chunk,
                model.heads,
                input_count,
            )?;
            let keep = keeps && chunk.layout.rows() <= room;
            room -= if keep { chunk.layout.rows() } else { 0 };
            let tokens = self.tokens(&rows)?;
            let (new, trace) = rows.forward(&model, &tokens, input_rows.as_ref(), keep)?;
            features.push(new);
            if keeps {
                done.push((chunk, rows, trace));
            }
        }
        let features = Tensor::cat(&features, 0)?.to_dtype(DType::F32)?;
        let features = features.to_device(&Device::Cpu)?;
        if keeps {
            let saved = Saved {
                model,
                placed: placed.into_tensors(),
                input_rows,
                chunks: done,
            };
            *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
        }
        Ok(features)
    }

    /// The gradient of the flat inputs.
    fn pull(&self, grad: &Tensor) -> candle_core::Result<Vec<f32>> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(saved) = saved.as_ref() else {
            candle_core::bail!("text tower: backward before forward");
        };
        let mut gradients = self.inputs.gradients(&saved.placed);
        let grad = self.accelerator.upload(grad)?;
        let mut of_rows: Option<Tensor> = None;
        for (chunk, rows, trace) in &saved.chunks {
            let grad = grad.narrow(0, chunk.prompts.start, chunk.prompts.len())?;
            let again = match trace {
                Some(_) => None,
                None => {
                    let tokens = self.tokens(rows)?;
                    let inputs = saved.input_rows.as_ref();
                    rows.forward(&saved.model, &tokens, inputs, true)?.1
                }
            };
            let Some(trace) = trace.as_ref().or(again.as_ref()) else {
                candle_core::bail!("text tower: nothing was kept of a chunk");
            };
            let new = rows.pull(&saved.model, trace, &grad, self.lowest, &mut gradients)?;
            of_rows = match (of_rows, new) {
                (Some(sum), Some(new)) => Some((sum + new.to_dtype(DType::F32)?)?),
                (None, Some(new)) => Some(new.to_dtype(DType::F32)?),
                (sum, None) => sum,
            };
        }
        if let Some(of_rows) = of_rows {
            self.divide(&saved.placed, &of_rows, &mut gradients)?;
        }
        self.inputs.flat_gradient(&saved.placed, &mut gradients)
    }

    /// Adds the gradient of all rows of the inputs to the tensors that they belong to.
    fn divide(
        &self,
        placed: &HashMap<TensorId, Tensor>,
        of_rows: &Tensor,
        gradients: &mut crate::device::gradients::Gradients,
    ) -> candle_core::Result<()> {
        let width = self.tower.dims.width;
        let mut start = 0;
        for tensor in &self.rows {
            let count = tensor.elem_count() / width;
            if let Some(placed) = placed.get(&tensor.id()) {
                gradients.add(placed, || of_rows.narrow(0, start, count))?;
            }
            start += count;
        }
        Ok(())
    }

    fn model(&self, placed: &Placed<'_>) -> candle_core::Result<Model> {
        let blocks = self.tower.blocks.iter().map(|block| placed.block(block));
        Ok(Model {
            blocks: blocks.collect::<candle_core::Result<_>>()?,
            positions: placed.get(&self.tower.positions)?,
            ln_final: placed.norm(&self.tower.ln_final)?,
            projection: placed.linear(&self.tower.projection)?,
            heads: self.tower.attention.heads,
        })
    }

    /// Rows `[I, D]` of the inputs.
    fn input_rows(&self, placed: &Placed<'_>) -> candle_core::Result<Option<Tensor>> {
        let width = self.tower.dims.width;
        let rows = self
            .rows
            .iter()
            .map(|tensor| placed.get(tensor)?.reshape(((), width)));
        let rows = rows.collect::<candle_core::Result<Vec<_>>>()?;
        match rows.is_empty() {
            true => Ok(None),
            false => Tensor::cat(&rows, 0).map(Some),
        }
    }

    /// Embeddings `[T, D]` of the distinct tokens of some rows; one row of zeros where there is none.
    fn tokens(&self, rows: &Rows) -> candle_core::Result<Tensor> {
        let accelerator = &*self.accelerator;
        let table = accelerator.weight(&self.tower.token_embedding)?;
        match rows.tokens() {
            [] => Tensor::zeros(
                (1, self.tower.dims.width),
                accelerator.dtype(),
                accelerator.device(),
            ),
            ids => table.index_select(&accelerator.index(ids.to_vec())?, 0),
        }
    }

    /// Bytes that a row's trace takes in all blocks, about: input, middle, queries, keys and values
    /// with their copies, attention weights, and the MLP's hidden values.
    fn row_bytes(&self) -> usize {
        let dims = &self.tower.dims;
        let weights = dims.heads * self.sequences.padded();
        let values = 8 * dims.width + weights + dims.mlp;
        dims.layers * values * self.accelerator.dtype().size_in_bytes()
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "text tower"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let values = crate::ops::view::slice(inputs, layout, "text tower")?;
        let flat = Tensor::from_slice(values, layout.shape(), &Device::Cpu)?;
        let features = self.accelerator.watch(self.forward(Some(&flat), true))?;
        let shape = features.shape().clone();
        let values = features.flatten_all()?.to_vec1::<f32>()?;
        Ok((CpuStorage::F32(values), shape))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        _features: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let gradient = self.accelerator.watch(self.pull(grad))?;
        Ok(Some(tensor(gradient, inputs.shape())?))
    }
}
