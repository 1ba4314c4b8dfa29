//! Classifying by the names of the classes alone.

use candle_core::Tensor;
use harness_backbone::{Backbone, BackboneError};
use harness_data::Dataset;

use super::features::accuracy;
use crate::error::EmbeddedError;
use crate::train::unit_rows;

/// Accuracy in percent of the first template on `images`, unit rows.
pub(super) fn zero_shot(
    backbone: &Backbone,
    dataset: &Dataset,
    images: &Tensor,
    labels: &[u32],
) -> Result<f64, EmbeddedError> {
    let missing = || BackboneError::Tokenizer("none beside the weights".to_owned());
    let tokenizer = backbone.tokenizer().ok_or_else(missing)?;
    let template = dataset.templates().first().map_or("{}", String::as_str);
    let rows = dataset
        .class_names()
        .iter()
        .map(|name| {
            let text = template.replace("{}", name);
            tokenizer.prompt(&text, backbone.dims().text.context_length)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let texts = unit_rows(&backbone.text().encode_ids(&rows)?)?;
    accuracy(&images.matmul(&texts.t()?)?, labels)
}
