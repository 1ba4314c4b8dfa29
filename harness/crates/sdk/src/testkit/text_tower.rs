//! A toy text tower, small and differentiable.

use candle_core::{Device, Tensor};
use harness_abi::wire::{Edit, Segment, TextRequest, TokenRows, Tower};

use super::tower_parameters::{TowerParameters, replace_tokens};
use super::values::fixed_values;
use crate::{Error, Result};

pub(super) const WIDTH: usize = 8;
pub(super) const EMBED: usize = 6;
pub(super) const LAYERS: usize = 3;
pub(super) const CONTEXT: usize = 24;
pub(super) const VOCAB: usize = 64;

/// Residual blocks with causal means instead of attention; the last token is the feature.
pub(super) struct ToyTextTower {
    width: usize,
    embeddings: Tensor,
    positions: Tensor,
    pub(super) parameters: TowerParameters,
    projection: Tensor,
}

impl ToyTextTower {
    pub(super) fn new(width: usize) -> Result<Self> {
        Ok(Self {
            width,
            embeddings: fixed_values(&[VOCAB, width], 1.0, 0.5)?,
            positions: fixed_values(&[CONTEXT, width], 2.0, 0.2)?,
            parameters: TowerParameters::new(Tower::Text, LAYERS, width, &["ln_final"])?,
            projection: fixed_values(&[width, EMBED], 9.0, 0.7)?,
        })
    }

    pub(super) fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        if let Some(id) = ids.iter().find(|&&id| id as usize >= VOCAB) {
            return Err(Error::Config(format!(
                "toy host: token {id} does not exist"
            )));
        }
        let ids = Tensor::new(ids, &Device::Cpu)?;
        Ok(self.embeddings.index_select(&ids, 0)?)
    }

    /// Features `[G, C, E]` of a request with its tensors.
    pub(super) fn encode(&self, request: &TextRequest, tensors: &[Tensor]) -> Result<Tensor> {
        let parameters = self.parameters.edited(&request.edits, tensors)?;
        let mut rows = vec![];
        for group in 0..request.groups {
            for class in 0..request.classes {
                rows.push(self.prompt(&parameters, request, tensors, (group, class))?);
            }
        }
        let rows = Tensor::cat(&rows, 0)?;
        Ok(rows.reshape((request.groups, request.classes, EMBED))?)
    }

    fn prompt(
        &self,
        parameters: &TowerParameters,
        request: &TextRequest,
        tensors: &[Tensor],
        (group, class): (usize, usize),
    ) -> Result<Tensor> {
        let mut parts = vec![];
        for segment in &request.segments {
            parts.push(match segment {
                Segment::Tokens(TokenRows::Shared(ids)) => self.embed(ids)?,
                Segment::Tokens(TokenRows::PerClass(rows)) => self.embed(&rows[class])?,
                Segment::Context { tensor } => pick(&tensors[*tensor], group, class)?,
            });
        }
        let x = Tensor::cat(&parts, 0)?;
        let length = x.dim(0)?;
        if length > CONTEXT || x.dim(1)? != self.width {
            return Err(Error::Config(format!(
                "toy host: a prompt is {:?}",
                x.dims()
            )));
        }
        let mut x = (x + self.positions.narrow(0, 0, length)?)?;
        let mean = causal_mean(length)?;
        for layer in 0..LAYERS {
            for edit in &request.edits {
                if let Edit::ReplaceTokens {
                    tower: Tower::Text,
                    layer: at,
                    start,
                    tensor,
                } = edit
                    && *at == layer
                {
                    x = replace_tokens(&x, *start, &pick(&tensors[*tensor], group, class)?)?;
                }
            }
            x = parameters.block(layer, &mean, &x)?;
        }
        let last = parameters.norm("ln_final", &x.narrow(0, length - 1, 1)?)?;
        Ok(last.matmul(&self.projection)?)
    }
}

fn pick(tensor: &Tensor, group: usize, class: usize) -> Result<Tensor> {
    let (groups, classes, _, _) = tensor.dims4()?;
    let tensor = tensor.get(if groups == 1 { 0 } else { group })?;
    Ok(tensor.get(if classes == 1 { 0 } else { class })?)
}

/// Row i averages rows 0..=i.
fn causal_mean(length: usize) -> Result<Tensor> {
    let value = |i: usize| {
        let (row, column) = (i / length, i % length);
        if column <= row {
            1.0 / (row + 1) as f32
        } else {
            0.0
        }
    };
    let values: Vec<f32> = (0..length * length).map(value).collect();
    Ok(Tensor::from_vec(values, (length, length), &Device::Cpu)?)
}
