//! The reference vectors, from files alone.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use candle_core::{Device, Tensor, safetensors};
use harness_abi::wire::{Class, Split, TaskFacts};
use harness_backbone::{Backbone, BackboneError};
use harness_host::boundary::{
    ClassFeatures, HostBench, Pixels, SourceError, TaskData, Vocabulary, backbone_facts,
};
use serde::Deserialize;

/// The folder of reference vectors; `HARNESS_GOLDEN` names another one.
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("HARNESS_GOLDEN") {
        Some(folder) => folder.into(),
        None => committed(),
    }
}

/// The folder that is part of the repository.
pub(crate) fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden")
}

/// Folders or files below a part of the reference vectors, sorted.
pub(crate) fn listing(part: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder().join(part)) else {
        return vec![];
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn tensors(path: &Path) -> HashMap<String, Tensor> {
    safetensors::load(path, &Device::Cpu).unwrap()
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts that two tensors agree to 1e-4 of the larger one's largest value.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    let mut worst = 0f32;
    for (f, e) in found.iter().zip(expected) {
        assert!(f.is_finite(), "{what}: {f}");
        worst = worst.max((f - e).abs());
    }
    assert!(worst <= 1e-4 * scale, "{what}: {worst} off, of {scale}");
}

/// `methods/inputs.json`
#[derive(Deserialize)]
pub(crate) struct Inputs {
    class_name_token_ids: Vec<Vec<u32>>,
    template_token_ids: Vec<u32>,
    sot: u32,
    eot: u32,
    period: u32,
}

fn unknown(text: &str) -> BackboneError {
    BackboneError::Tokenizer(format!("the reference vectors have no words for {text:?}"))
}

impl Vocabulary for Inputs {
    /// Knows the template's words, `class0` … and the period.
    fn ids(&self, text: &str) -> Result<Vec<u32>, BackboneError> {
        let mut ids = vec![];
        let mut rest = text.trim();
        if let Some(after) = rest.strip_prefix("a photo of a") {
            ids.extend(&self.template_token_ids);
            rest = after.trim();
        } else if let Some(after) = rest.strip_prefix("of a") {
            ids.extend(&self.template_token_ids[2..]);
            rest = after.trim();
        }
        let (name, period) = match rest.strip_suffix('.') {
            Some(name) => (name, Some(self.period)),
            None => (rest, None),
        };
        match name.strip_prefix("class") {
            Some(number) => {
                let class: usize = number.parse().map_err(|_| unknown(text))?;
                ids.extend(&self.class_name_token_ids[class]);
            }
            None if name == "a photo" => ids.extend(&self.template_token_ids[..2]),
            None if name == "x" => ids.push(0),
            None if name.is_empty() => {}
            None => return Err(unknown(text)),
        }
        ids.extend(period);
        Ok(ids)
    }

    fn start_of_text(&self) -> u32 {
        self.sot
    }

    fn end_of_text(&self) -> u32 {
        self.eot
    }
}

/// The task of the method cases: its backbone, words, batch.
pub(crate) struct MethodTask {
    backbone: Arc<Backbone>,
    class_features: Arc<ClassFeatures>,
    words: Arc<Inputs>,
    features: Tensor,
    pixels: Arc<Batch>,
    labels: Vec<u32>,
}

/// The images of the cases, whatever the split.
struct Batch(Tensor);

impl Pixels for Batch {
    fn pixels(&self, _split: Split, rows: &[u32], _view: u32) -> Result<Tensor, SourceError> {
        let rows = Tensor::new(rows, &Device::Cpu).unwrap();
        Ok(self.0.index_select(&rows, 0).unwrap())
    }
}

impl MethodTask {
    pub(crate) fn load() -> Self {
        Self::of(&folder(), "open-clip-quickgelu")
    }

    /// The task on another backbone of the same dimensions, of some reference vectors.
    pub(crate) fn of(folder: &Path, backbone: &str) -> Self {
        let methods = folder.join("methods");
        let text = std::fs::read_to_string(methods.join("inputs.json")).unwrap();
        let words: Inputs = serde_json::from_str(&text).unwrap();
        let inputs = tensors(&methods.join("inputs.safetensors"));
        let place = folder.join("backbones").join(backbone);
        let mut weights = tensors(&place.join("model.safetensors"));
        let scale = inputs["logit_scale"].log().unwrap();
        weights.insert("logit_scale".into(), scale.reshape(()).unwrap());
        let config = std::fs::read_to_string(place.join("config.json")).unwrap();
        let config = serde_json::from_str(&config).unwrap();
        let labels = inputs["labels"].to_vec1::<i64>().unwrap();
        let model = Backbone::from_tensors(weights, &config, None).unwrap();
        let features = match backbone {
            "open-clip-quickgelu" => inputs["image_features_raw"].clone(),
            _ => model.image().encode(&inputs["pixels"]).unwrap(),
        };
        Self {
            backbone: Arc::new(model),
            class_features: Arc::default(),
            words: Arc::new(words),
            features,
            pixels: Arc::new(Batch(inputs["pixels"].clone())),
            labels: labels.iter().map(|&l| l as u32).collect(),
        }
    }

    /// The task with other test images, `[n, 3, N, N]`, and their features `[n, E]`.
    pub(crate) fn with_images(self, pixels: &Tensor, features: &Tensor) -> Self {
        Self {
            pixels: Arc::new(Batch(pixels.clone())),
            features: features.clone(),
            labels: vec![0; features.dims()[0]],
            ..self
        }
    }

    pub(crate) fn batch(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn classes(&self) -> usize {
        self.words.class_name_token_ids.len()
    }

    /// Ids of the classes, in order.
    pub(crate) fn class_ids(&self) -> Vec<String> {
        let classes = self.facts().classes.into_iter();
        classes.map(|class| class.id).collect()
    }

    fn facts(&self) -> TaskFacts {
        let classes = (0..self.classes()).map(|i| Class {
            id: format!("class{i}"),
            name: format!("class{i}"),
        });
        TaskFacts {
            dataset: "golden".into(),
            classes: classes.collect(),
            templates: vec!["a photo of a {}.".into()],
            train_rows: 0,
            train_views: 1,
            val_rows: 0,
        }
    }

    fn bench(&self, task: TaskData) -> HostBench {
        let facts = backbone_facts("golden", self.backbone.dims());
        let words: Arc<Inputs> = Arc::clone(&self.words);
        let task = task.with_pixels(self.pixels.clone());
        let backbone = Arc::clone(&self.backbone);
        let class_features = Arc::clone(&self.class_features);
        let observer = Box::new(|_, _| Ok(()));
        HostBench::new(facts, backbone, class_features, words, task, observer)
    }

    /// A bench whose training rows are the batch of the cases.
    pub(crate) fn training(&self) -> HostBench {
        self.training_with(vec![self.features.clone()])
    }

    /// The same with several views of the training rows.
    pub(crate) fn training_with(&self, views: Vec<Tensor>) -> HostBench {
        let batch = (self.features.clone(), self.labels.clone());
        let labels = self.labels.clone();
        self.bench(TaskData::training(self.facts(), views, labels, batch))
    }

    /// A bench whose test rows are the batch of the cases.
    pub(crate) fn evaluation(&self) -> HostBench {
        self.bench(TaskData::evaluation(self.facts(), self.features.clone()).unwrap())
    }

    /// Image features of the batch, `[B, E]`.
    pub(crate) fn features(&self) -> &Tensor {
        &self.features
    }
}
