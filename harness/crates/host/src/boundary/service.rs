//! Class and data services.

use candle_core::Tensor;
use harness_abi::{
    AbiError, AbiTensor, ErrorKind, Reply,
    std_types::RVec,
    wire::{ImageStage, Service, Split, Tokenized, Tower},
};
use harness_backbone::Backbone;
use serde::Serialize;

use super::{
    ClassFeatures, TaskData, Vocabulary,
    class_features::ClassPrompts,
    request::{refuse, refused},
    task::internal,
};

/// Answers one request.
pub(super) fn answer(
    backbone: &Backbone,
    words: &dyn Vocabulary,
    task: &TaskData,
    class_features: &ClassFeatures,
    service: &Service,
) -> Result<Reply, AbiError> {
    match service {
        Service::Tokenize { texts } => {
            let rows = texts.iter().map(|text| words.ids(text));
            json(&Tokenized {
                rows: rows.collect::<Result<_, _>>().map_err(refused)?,
                start_of_text: words.start_of_text(),
                end_of_text: words.end_of_text(),
            })
        }
        Service::TokenEmbeddings { ids } => {
            let embeddings = backbone.text().embed_tokens(ids);
            tensor(&embeddings.map_err(refused)?)
        }
        Service::ClassFeatures {
            templates,
            ensemble,
        } => {
            let prompts = ClassPrompts::of(backbone, words, task.facts(), templates, *ensemble)?;
            tensor(&class_features.get(backbone, prompts)?)
        }
        Service::Parameter { tower, name } => {
            let value = match tower {
                Tower::Text => backbone.text().parameter(name),
                Tower::Image => backbone.image().parameter(name),
            };
            tensor(&value.map_err(refused)?)
        }
        Service::ImageFeatures { split, rows, view } => {
            tensor(&task.features(*split, rows, *view)?)
        }
        Service::ImageActivations {
            split,
            rows,
            view,
            stage,
        } => tensor(&activations(backbone, task, (*split, *view), rows, *stage)?),
        Service::Labels { split } => json(&task.labels(*split)?),
        Service::LogitScale {} => json(&logit_scale(backbone)?),
    }
}

/// Activations of some rows, a few images at a time.
fn activations(
    backbone: &Backbone,
    task: &TaskData,
    (split, view): (Split, u32),
    rows: &[u32],
    stage: ImageStage,
) -> Result<Tensor, AbiError> {
    let image = backbone.image();
    let compute = |rows: &[u32]| {
        let pixels = task.pixels(split, rows, view)?;
        let tensor = match stage {
            ImageStage::BeforeProjection => image.before_projection(&pixels),
            ImageStage::PatchFeatures => image.patch_features(&pixels),
        };
        tensor.map_err(refused)
    };
    if rows.is_empty() {
        return Err(refuse("activations of no image".into()));
    }
    let parts = task.kept_activations(split, view, rows, stage, &compute)?;
    Tensor::cat(&parts, 0).map_err(internal)
}

pub(super) fn logit_scale(backbone: &Backbone) -> Result<f64, AbiError> {
    let scale = backbone.logit_scale().map_err(refused)?;
    Ok(f64::from(scale))
}

/// A tensor as a reply.
pub(super) fn tensor(tensor: &Tensor) -> Result<Reply, AbiError> {
    let values = tensor
        .flatten_all()
        .and_then(|t| t.to_vec1::<f32>())
        .map_err(internal)?;
    Ok(Reply {
        tensors: RVec::from(vec![AbiTensor::new(tensor.dims(), values)]),
        ..Reply::default()
    })
}

/// A value as a reply.
pub(super) fn json(value: &impl Serialize) -> Result<Reply, AbiError> {
    let text = serde_json::to_string(value)
        .map_err(|e| AbiError::new(ErrorKind::Internal, e.to_string()))?;
    Ok(Reply {
        json: text.into(),
        ..Reply::default()
    })
}
