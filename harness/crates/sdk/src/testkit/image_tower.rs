//! A toy image tower; a row index determines the image.

use candle_core::{Device, Tensor};
use harness_abi::wire::{Edit, ImageRequest, ImageStage, Split, Tower};

use super::{
    text_tower::EMBED,
    tower_parameters::{TowerParameters, replace_tokens},
    values::fixed_values,
};
use crate::Result;

pub(super) const IMAGE_WIDTH: usize = 8;
pub(super) const IMAGE_LAYERS: usize = 2;
pub(super) const PATCHES: usize = 4;

/// Residual blocks over a class token and patches; the class token is the feature.
pub(super) struct ToyImageTower {
    pub(super) parameters: TowerParameters,
    projection: Tensor,
}

impl ToyImageTower {
    pub(super) fn new() -> Result<Self> {
        let norms = ["ln_pre", "ln_post"];
        Ok(Self {
            parameters: TowerParameters::new(Tower::Image, IMAGE_LAYERS, IMAGE_WIDTH, &norms)?,
            projection: fixed_values(&[IMAGE_WIDTH, EMBED], 19.0, 0.7)?,
        })
    }

    /// Features `[B, E]` of a request with its tensors.
    pub(super) fn encode(&self, request: &ImageRequest, tensors: &[Tensor]) -> Result<Tensor> {
        let parameters = self.parameters.edited(&request.edits, tensors)?;
        let mut rows = vec![];
        for (at, row) in request.rows.iter().enumerate() {
            rows.push(self.image(&parameters, request, tensors, at, *row)?);
        }
        Ok(Tensor::cat(&rows, 0)?)
    }

    /// The projection `[E, D]`.
    pub(super) fn projection(&self) -> Result<Tensor> {
        Ok(self.projection.t()?.contiguous()?)
    }

    /// Activations of the unchanged tower.
    pub(super) fn activations(
        &self,
        split: Split,
        rows: &[u32],
        stage: ImageStage,
    ) -> Result<Tensor> {
        let mut all = vec![];
        for &row in rows {
            let request = ImageRequest {
                split,
                rows: vec![row],
                view: 0,
                edits: vec![],
                tape: false,
            };
            let x = self.tokens(&self.parameters, &request, &[], 0, row)?;
            all.push(match stage {
                ImageStage::BeforeProjection => {
                    self.parameters.norm("ln_post", &x.narrow(0, 0, 1)?)?
                }
                ImageStage::PatchFeatures => self
                    .parameters
                    .norm("ln_post", &x.narrow(0, 1, PATCHES)?)?
                    .matmul(&self.projection)?
                    .unsqueeze(0)?,
            });
        }
        Ok(Tensor::cat(&all, 0)?)
    }

    fn image(
        &self,
        parameters: &TowerParameters,
        request: &ImageRequest,
        tensors: &[Tensor],
        at: usize,
        row: u32,
    ) -> Result<Tensor> {
        let x = self.tokens(parameters, request, tensors, at, row)?;
        let class = parameters.norm("ln_post", &x.narrow(0, 0, 1)?)?;
        Ok(class.matmul(&self.projection)?)
    }

    /// All tokens after the last block, `[S, D]`.
    fn tokens(
        &self,
        parameters: &TowerParameters,
        request: &ImageRequest,
        tensors: &[Tensor],
        at: usize,
        row: u32,
    ) -> Result<Tensor> {
        let pick = |tensor: usize| -> Result<Tensor> {
            let tensor = &tensors[tensor];
            Ok(tensor.get(if tensor.dim(0)? == 1 { 0 } else { at })?)
        };
        let mut x = pixels(request.split, row)?;
        for edit in &request.edits {
            if let Edit::AppendTokens { tensor } = edit {
                x = Tensor::cat(&[x, pick(*tensor)?], 0)?;
            }
        }
        let length = x.dim(0)?;
        let mean = Tensor::full(1.0 / length as f32, (length, length), &Device::Cpu)?;
        for layer in 0..IMAGE_LAYERS {
            for edit in &request.edits {
                if let Edit::ReplaceTokens {
                    tower: Tower::Image,
                    layer: at,
                    start,
                    tensor,
                } = edit
                    && *at == layer
                {
                    x = replace_tokens(&x, length - start, &pick(*tensor)?)?;
                }
            }
            if layer == 0 {
                x = parameters.norm("ln_pre", &x)?;
            }
            x = parameters.block(layer, &mean, &x)?;
        }
        Ok(x)
    }
}

/// Class token and patches of an image, `[1 + P, D]`.
fn pixels(split: Split, row: u32) -> Result<Tensor> {
    let phase = 20.0 + split as usize as f64 + 0.37 * f64::from(row);
    fixed_values(&[1 + PATCHES, IMAGE_WIDTH], phase, 1.0)
}
