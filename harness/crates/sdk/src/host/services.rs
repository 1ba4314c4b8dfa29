//! The host as a method author sees it: one backbone with one task.

use std::sync::{Arc, OnceLock};

use candle_core::{Device, Tensor};
use harness_abi::{
    HostObject, Reply,
    std_types::RStr,
    wire::{Dropout, Ensemble, ImageStage, Service, Setting, Split, Tokenized, Tower},
};
use serde::de::DeserializeOwned;

use super::{random::Random, tensor::from_abi};
use crate::{Batch, Error, Feature, Result};

/// A backbone with a task. Cheap to clone; clones share the same host.
#[derive(Clone)]
pub struct Host {
    object: Arc<HostObject>,
    setting: Arc<Setting>,
    logit_scale: f64,
    /// Seed of the training, also on a target.
    seed: u64,
    /// Seed of the current training step; none outside training.
    step_seed: Option<u64>,
    uses: &'static [Feature],
    zero_shot: Arc<OnceLock<Tensor>>,
}

impl Host {
    /// A host for a method that uses some features.
    pub(crate) fn new(object: HostObject, uses: &'static [Feature]) -> Result<Self> {
        let setting = serde_json::from_str(object.setting().as_str())?;
        let object = Arc::new(object);
        let reply = ask(&object, &Service::LogitScale {})?;
        Ok(Self {
            object,
            setting: Arc::new(setting),
            logit_scale: json(&reply)?,
            seed: 0,
            step_seed: None,
            uses,
            zero_shot: Arc::default(),
        })
    }

    /// The same host for a module of a training with this seed.
    pub(crate) fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Refuses a feature that the method does not say it uses.
    pub(crate) fn require(&self, feature: Feature) -> Result<()> {
        if self.uses.contains(&feature) {
            return Ok(());
        }
        Err(Error::Config(format!(
            "the method does not declare that it uses Feature::{feature:?}; add it to \
             Method::USES, so that hosts without it refuse the plugin"
        )))
    }

    /// Seed of the training that the module is from, on the source and on a target.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A random stream by name. In a training step it depends on the seed of the training and
    /// the step, elsewhere on the seed alone: what [`setup`](crate::Method::setup) draws on the
    /// source it draws on a target.
    pub fn random(&self, name: &str) -> Random {
        Random::new(self.step_seed.unwrap_or(self.seed) ^ hash(name))
    }

    /// Whether a training step is being computed, for methods that use a part of their parameters
    /// in a step and all of them elsewhere.
    pub fn is_in_step(&self) -> bool {
        self.step_seed.is_some()
    }

    /// Images of a split in their first view, with labels except for the test split.
    ///
    /// # Errors
    /// A row is out of range.
    pub fn batch(&self, split: Split, rows: &[u32]) -> Result<Batch> {
        if split == Split::Test {
            return Ok(Batch::new(split, rows.to_vec(), None));
        }
        let all = self.labels(split)?;
        let label = |&row: &u32| {
            let label = all.get(row as usize).copied();
            label.ok_or_else(|| {
                Error::Config(format!(
                    "row {row} of the {} split is out of range; it has {} rows",
                    split.as_str(),
                    all.len()
                ))
            })
        };
        let labels: Vec<u32> = rows.iter().map(label).collect::<Result<_>>()?;
        let labels = Tensor::new(labels, &Device::Cpu)?;
        Ok(Batch::new(split, rows.to_vec(), Some(labels)))
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
        if let Some(known) = self.zero_shot.get() {
            return Ok(known.clone());
        }
        let templates = &self.setting.task.templates;
        let features = self.class_features(templates, Ensemble::NormalisedMean)?;
        Ok(self.zero_shot.get_or_init(|| features).clone())
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

    /// What the unchanged image tower computes before its features: the input of the projection
    /// `[n, image.width]`, or the patches in the joint space `[n, image.patches, E]`. The method
    /// needs [`DataNeed::Pixels`](crate::wire::DataNeed::Pixels) and declares
    /// [`Feature::ImageActivations`].
    ///
    /// # Errors
    /// A row is out of range, the test split during training, or an undeclared feature.
    pub fn image_activations(&self, batch: &Batch, stage: ImageStage) -> Result<Tensor> {
        self.require(Feature::ImageActivations)?;
        self.tensor(&Service::ImageActivations {
            split: batch.split(),
            rows: batch.rows().to_vec(),
            view: batch.view(),
            stage,
        })
    }

    /// The image tower's projection `[E, image.width]`. The method declares
    /// [`Feature::ImageActivations`].
    ///
    /// # Errors
    /// An undeclared feature.
    pub fn image_projection(&self) -> Result<Tensor> {
        self.require(Feature::ImageActivations)?;
        self.parameter(Tower::Image, "head.weight")
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
        Some(Dropout {
            rate: rate as f32,
            seed: step ^ hash(site),
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

/// FNV-1a.
fn hash(name: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

fn ask(host: &HostObject, service: &Service) -> Result<Reply> {
    let request = serde_json::to_string(service)?;
    Ok(host.service(RStr::from_str(&request)).into_result()?)
}

fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    Ok(serde_json::from_str(reply.json.as_str())?)
}
