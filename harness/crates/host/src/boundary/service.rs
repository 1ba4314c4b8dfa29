//! Class and data services.

use candle_core::{D, Tensor};
use harness_abi::{
    AbiError, AbiTensor, ErrorKind, Reply,
    std_types::RVec,
    wire::{Ensemble, Service, Tokenized, Tower},
};
use harness_backbone::Backbone;
use serde::Serialize;

use super::{
    TaskData, Vocabulary,
    request::{refuse, refused},
    task::internal,
};

/// Answers one request.
pub(super) fn answer(
    backbone: &Backbone,
    words: &dyn Vocabulary,
    task: &TaskData,
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
        } => tensor(&class_features(
            backbone, words, task, templates, *ensemble,
        )?),
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
        Service::Labels { split } => json(&task.labels(*split)?),
        Service::LogitScale {} => json(&logit_scale(backbone)?),
    }
}

pub(super) fn logit_scale(backbone: &Backbone) -> Result<f64, AbiError> {
    let scale = backbone.logit_scale().map_err(refused)?;
    Ok(f64::from(scale))
}

/// Text features `[C, E]` of the class names in templates.
pub(super) fn class_features(
    backbone: &Backbone,
    words: &dyn Vocabulary,
    task: &TaskData,
    templates: &[String],
    ensemble: Ensemble,
) -> Result<Tensor, AbiError> {
    if templates.is_empty() {
        return Err(refuse("class features need at least one template".into()));
    }
    let room = backbone.dims().text.context_length.saturating_sub(2);
    let mut sum: Option<Tensor> = None;
    for template in templates {
        let mut rows = vec![];
        for class in &task.facts().classes {
            let text = template.replace("{}", &class.name.replace('_', " "));
            let mut row = vec![words.start_of_text()];
            let ids = words.ids(&text).map_err(refused)?;
            // Longer than the context: cut, with the end kept, as CLIP does.
            row.extend(&ids[..ids.len().min(room)]);
            row.push(words.end_of_text());
            rows.push(row);
        }
        let features = backbone.text().encode_ids(&rows).map_err(refused)?;
        let features = match ensemble {
            Ensemble::NormalisedMean => normalize(&features).map_err(internal)?,
            Ensemble::RawMean => features,
        };
        sum = Some(match sum {
            None => features,
            Some(sum) => (sum + features).map_err(internal)?,
        });
    }
    let sum = sum.ok_or_else(|| refuse("no template".into()))?;
    let mean = (sum / templates.len() as f64).map_err(internal)?;
    match ensemble {
        Ensemble::NormalisedMean => normalize(&mean).map_err(internal),
        Ensemble::RawMean => Ok(mean),
    }
}

pub(super) fn normalize(x: &Tensor) -> candle_core::Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)
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
