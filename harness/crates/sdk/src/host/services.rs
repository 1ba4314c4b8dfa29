//! The host as a method author sees it: one backbone with one task.

use std::sync::Arc;

use candle_core::Tensor;
use harness_abi::{
    HostObject, Reply,
    std_types::RStr,
    wire::{Dropout, Ensemble, Service, Setting, Split, Tokenized, Tower},
};
use serde::de::DeserializeOwned;

use super::tensor::from_abi;
use crate::{Error, Result};

/// A backbone with a task. Cheap to clone; clones share the same host.
#[derive(Clone)]
pub struct Host {
    object: Arc<HostObject>,
    setting: Arc<Setting>,
    logit_scale: f64,
    /// Seed of the current training step; none outside training.
    step_seed: Option<u64>,
}

impl Host {
    pub(crate) fn new(object: HostObject) -> Result<Self> {
        let setting = serde_json::from_str(object.setting().as_str())?;
        let object = Arc::new(object);
        let reply = ask(&object, &Service::LogitScale {})?;
        Ok(Self {
            object,
            setting: Arc::new(setting),
            logit_scale: json(&reply)?,
            step_seed: None,
        })
    }

    /// The same host in a training step.
    pub(crate) fn at_step(&self, seed: u64) -> Self {
        Self {
            step_seed: Some(seed),
            ..self.clone()
        }
    }

    pub(crate) fn object(&self) -> Arc<HostObject> {
        Arc::clone(&self.object)
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

    /// Class names for prompts, with spaces instead of `_`.
    pub fn class_names(&self) -> Vec<String> {
        let classes = self.setting.task.classes.iter();
        classes.map(|class| class.name.replace('_', " ")).collect()
    }

    /// Token ids of texts, without start and end tokens.
    ///
    /// # Errors
    /// The host cannot tokenise them.
    pub fn tokenize(&self, texts: &[impl AsRef<str>]) -> Result<Tokenized> {
        let texts: Vec<String> = texts.iter().map(|t| t.as_ref().to_owned()).collect();
        let expected = texts.len();
        let tokenized: Tokenized = json(&ask(&self.object, &Service::Tokenize { texts })?)?;
        if tokenized.rows.len() == expected {
            Ok(tokenized)
        } else {
            Err(Error::incomplete_reply("tokenize", "one row per text"))
        }
    }

    /// Token ids `[start] template with name [end]` of every class, for prompts without
    /// learned tokens.
    ///
    /// # Errors
    /// The host cannot tokenise them.
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

    /// Token embeddings `[n, D]`, without positions.
    ///
    /// # Errors
    /// An id is out of range.
    pub fn token_embeddings(&self, ids: &[u32]) -> Result<Tensor> {
        self.tensor(&Service::TokenEmbeddings { ids: ids.to_vec() })
    }

    /// Text features `[C, E]` of the class names in templates, from the unchanged
    /// backbone. The data set's own templates are in the setting.
    ///
    /// # Errors
    /// A template without `{}`, or a prompt that is too long.
    pub fn class_features(&self, templates: &[String], ensemble: Ensemble) -> Result<Tensor> {
        self.tensor(&Service::ClassFeatures {
            templates: templates.to_vec(),
            ensemble,
        })
    }

    /// The zero-shot classifier `[C, E]`: the data set's templates, normalised mean.
    ///
    /// # Errors
    /// As for [`class_features`](Self::class_features).
    pub fn zero_shot(&self) -> Result<Tensor> {
        self.class_features(&self.setting.task.templates, Ensemble::NormalisedMean)
    }

    /// Unnormalised image features `[n, E]` of images of a split from the unchanged
    /// backbone; for training images, of the first view.
    ///
    /// # Errors
    /// A row is out of range, or the test split during training.
    pub fn image_features(&self, split: Split, rows: &[u32]) -> Result<Tensor> {
        self.image_features_in_view(split, rows, 0)
    }

    /// [`image_features`](Self::image_features) in any of the task's
    /// [`train_views`](crate::wire::TaskFacts::train_views).
    ///
    /// # Errors
    /// As for [`image_features`](Self::image_features).
    pub fn image_features_in_view(&self, split: Split, rows: &[u32], view: u32) -> Result<Tensor> {
        self.tensor(&Service::ImageFeatures {
            split,
            rows: rows.to_vec(),
            view,
        })
    }

    /// A bias or gain `[n]` of the unchanged backbone.
    ///
    /// # Errors
    /// The backbone has none of this name.
    pub fn parameter(&self, tower: Tower, name: &str) -> Result<Tensor> {
        let name = name.to_owned();
        self.tensor(&Service::Parameter { tower, name })
    }

    /// Dropout for a site in a training step; none elsewhere. The mask depends on the
    /// seed of the training, the step and the site's name.
    pub fn dropout(&self, rate: f64, site: &str) -> Option<Dropout> {
        let step = self.step_seed.filter(|_| rate > 0.0)?;
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let site = site.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        Some(Dropout {
            rate: rate as f32,
            seed: step ^ site,
        })
    }

    /// The class index of every image of a split.
    ///
    /// # Errors
    /// The test split, whose labels are never disclosed.
    pub fn labels(&self, split: Split) -> Result<Vec<u32>> {
        json(&ask(&self.object, &Service::Labels { split })?)
    }

    fn tensor(&self, service: &Service) -> Result<Tensor> {
        let reply = ask(&self.object, service)?;
        match reply.tensors.into_iter().next() {
            Some(tensor) => from_abi(tensor),
            None => Err(Error::incomplete_reply("service", "a tensor")),
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
