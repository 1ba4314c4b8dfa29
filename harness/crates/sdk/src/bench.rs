//! The host as a method author sees it: one backbone with one task.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use harness_abi::{
    AbiError, AbiTensor, ErrorKind, HostObject, Reply,
    std_types::RStr,
    wire::{Ensemble, Service, Setting, Split, Tokenized},
};
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A backbone with a task. Cheap to clone; every clone is the same host.
#[derive(Clone)]
pub struct Bench {
    host: Arc<HostObject>,
    setting: Arc<Setting>,
    logit_scale: f64,
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
        })
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

    /// Unnormalised image features `[n, E]` of rows of a split.
    pub fn image_features(&self, split: Split, rows: &[u32]) -> Result<Tensor> {
        self.tensor(&Service::ImageFeatures {
            split,
            rows: rows.to_vec(),
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
