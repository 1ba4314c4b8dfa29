//! The host as a method author sees it: one backbone with one task.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use harness_abi::{
    AbiError, AbiTensor, ErrorKind, HostObject, Reply,
    std_types::RStr,
    wire::{Dropout, Ensemble, ImageRequest, Service, Setting, Split, Tokenized, Tower},
};
use serde::de::DeserializeOwned;

use crate::{Batch, Edits, Error, Result, bridge};

/// A backbone with a task. Cheap to clone; every clone is the same host.
#[derive(Clone)]
pub struct Bench {
    host: Arc<HostObject>,
    setting: Arc<Setting>,
    logit_scale: f64,
    /// Seed of the training step at hand; none outside training.
    step: Option<u64>,
}

impl Bench {
    pub(crate) fn new(host: HostObject) -> Result<Self> {
        let setting = serde_json::from_str(host.setting().as_str())?;
        let host = Arc::new(host);
        let reply = ask(&host, &Service::LogitScale {})?;
        Ok(Self {
            host,
            setting: Arc::new(setting),
            logit_scale: json(&reply)?,
            step: None,
        })
    }

    /// The same host at a step of a training.
    pub(crate) fn at_step(&self, seed: u64) -> Self {
        Self {
            step: Some(seed),
            ..self.clone()
        }
    }

    pub(crate) fn host(&self) -> Arc<HostObject> {
        Arc::clone(&self.host)
    }

    /// Dimensions of the backbone, its role, the classes and their templates.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// C, the number of classes.
    pub fn classes(&self) -> usize {
        self.setting.task.classes.len()
    }

    /// exp of the backbone's logit scale.
    pub fn logit_scale(&self) -> f64 {
        self.logit_scale
    }

    /// Class names as they go into a prompt: `_` reads as a space.
    pub fn class_names(&self) -> Vec<String> {
        let classes = self.setting.task.classes.iter();
        classes.map(|class| class.name.replace('_', " ")).collect()
    }

    /// Token ids of texts, without start and end.
    pub fn tokenize(&self, texts: &[impl AsRef<str>]) -> Result<Tokenized> {
        let texts: Vec<String> = texts.iter().map(|t| t.as_ref().to_owned()).collect();
        let expected = texts.len();
        let tokenized: Tokenized = json(&ask(&self.host, &Service::Tokenize { texts })?)?;
        if tokenized.rows.len() == expected {
            Ok(tokenized)
        } else {
            Err(unexpected("tokenize", "one row a text"))
        }
    }

    /// Token ids `[start] template with name [end]` of every class, for prompts that
    /// are not learned.
    pub fn class_prompts(&self, template: &str) -> Result<Vec<Vec<u32>>> {
        let names = self.class_names();
        let texts: Vec<String> = names.iter().map(|n| template.replace("{}", n)).collect();
        let tokenized = self.tokenize(&texts)?;
        let (start, end) = (tokenized.start_of_text, tokenized.end_of_text);
        let rows = tokenized.rows.into_iter();
        Ok(rows
            .map(|row| [vec![start], row, vec![end]].concat())
            .collect())
    }

    /// Token embeddings `[n, D]`, before the positional embedding.
    pub fn token_embeddings(&self, ids: &[u32]) -> Result<Tensor> {
        self.tensor(&Service::TokenEmbeddings { ids: ids.to_vec() })
    }

    /// Text features `[C, E]` of the class names in templates, from the backbone
    /// as it is. The data set's own templates are in the setting.
    pub fn class_features(&self, templates: &[String], ensemble: Ensemble) -> Result<Tensor> {
        self.tensor(&Service::ClassFeatures {
            templates: templates.to_vec(),
            ensemble,
        })
    }

    /// The zero-shot classifier `[C, E]`: the data set's templates, normalised mean.
    pub fn zero_shot(&self) -> Result<Tensor> {
        self.class_features(&self.setting.task.templates, Ensemble::NormalisedMean)
    }

    /// Unnormalised image features `[n, E]` of rows of a split; of training images, the
    /// first view.
    pub fn image_features(&self, split: Split, rows: &[u32]) -> Result<Tensor> {
        self.image_view(split, rows, 0)
    }

    /// The same of any view; [`Setting`] says how many `train_views` there are.
    pub fn image_view(&self, split: Split, rows: &[u32], view: u32) -> Result<Tensor> {
        self.tensor(&Service::ImageFeatures {
            split,
            rows: rows.to_vec(),
            view,
        })
    }

    /// Unnormalised image features `[B, E]` of a batch through the edited image
    /// tower. Differentiable in every tensor of the edits.
    pub fn encode_image(&self, batch: &Batch, edits: &Edits) -> Result<Tensor> {
        if edits.tower() != Tower::Image {
            return Err(Error::Config(
                "edits of the text tower cannot change images".into(),
            ));
        }
        let request = ImageRequest {
            split: batch.split(),
            rows: batch.rows().to_vec(),
            view: batch.view(),
            edits: edits.entries().to_vec(),
            tape: edits.tensors().iter().any(Tensor::track_op),
        };
        let shape = [batch.rows().len(), self.setting.backbone.embed_dim];
        bridge::encode_image(self, &request, edits.tensors(), &shape)
    }

    /// A bias or gain `[n]` of the backbone as it is, by its canonical name.
    pub fn parameter(&self, tower: Tower, name: &str) -> Result<Tensor> {
        let name = name.to_owned();
        self.tensor(&Service::Parameter { tower, name })
    }

    /// Dropout for a site in a training step; none elsewhere. The mask follows from
    /// the training's seed, the step and the site's name.
    pub fn dropout(&self, rate: f64, site: &str) -> Option<Dropout> {
        let step = self.step.filter(|_| rate > 0.0)?;
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let site = site.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        Some(Dropout {
            rate: rate as f32,
            seed: step ^ site,
        })
    }

    /// The class of every row of a split.
    pub fn labels(&self, split: Split) -> Result<Vec<u32>> {
        json(&ask(&self.host, &Service::Labels { split })?)
    }

    fn tensor(&self, service: &Service) -> Result<Tensor> {
        let reply = ask(&self.host, service)?;
        match reply.tensors.into_iter().next() {
            Some(tensor) => from_abi(tensor),
            None => Err(unexpected("service", "a tensor")),
        }
    }
}

fn ask(host: &HostObject, service: &Service) -> Result<Reply> {
    let request = serde_json::to_string(service)?;
    Ok(host.service(RStr::from_str(&request)).into_result()?)
}

fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    Ok(serde_json::from_str(reply.json.as_str())?)
}

pub(crate) fn unexpected(what: &str, expected: &str) -> Error {
    Error::Host(AbiError::new(
        ErrorKind::Internal,
        format!("the host answered `{what}` without {expected}"),
    ))
}

/// A tensor of the boundary as a tensor of this plugin's candle.
pub(crate) fn from_abi(tensor: AbiTensor) -> Result<Tensor> {
    let shape = tensor.checked_shape().map_err(candle_core::Error::msg)?;
    Ok(Tensor::from_vec(
        tensor.values.into_vec(),
        shape,
        &Device::Cpu,
    )?)
}

/// A tensor of this plugin's candle as one that can cross.
pub(crate) fn to_abi(tensor: &Tensor) -> Result<AbiTensor> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(AbiTensor::new(tensor.dims(), values))
}
