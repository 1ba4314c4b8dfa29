//! The object a plugin talks to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;
use harness_abi::{
    AbiError, AbiTensor, Host, Host_TO, HostObject, Reply,
    abi_stable::sabi_trait::TD_Opaque,
    guarded,
    std_types::{RArc, RResult, RSlice, RStr, RString, RVec},
    wire::{BackboneFacts, Encoded, Ensemble, ImageRequest, Role, Setting, Site, TextRequest},
};
use harness_backbone::{Backbone, TextWork};
use serde::de::DeserializeOwned;

use super::{
    ClassFeatures, Phase, SourceError, TaskData, Vocabulary,
    class_features::ClassPrompts,
    facts,
    image::ImagePass,
    normalize::normalize,
    request::{Inputs, refuse, refused},
    service,
    tape::{Tape, Tapes},
    task::internal,
    text,
};

/// Called with the steps done and in total; an error stops the training.
pub type Observer = Box<dyn Fn(u64, u64) -> Result<(), SourceError> + Send + Sync>;

/// One backbone with one task.
#[derive(Clone)]
pub struct HostBench {
    inner: Arc<Inner>,
}

struct Inner {
    backbone: Arc<Backbone>,
    class_features: Arc<ClassFeatures>,
    words: Arc<dyn Vocabulary>,
    task: TaskData,
    setting: Setting,
    tapes: Tapes,
    /// Of all encodings with a tape.
    text_work: Mutex<Option<TextWork>>,
    /// Where the towers were changed.
    edited: Mutex<Vec<Site>>,
    observer: Observer,
}

impl HostBench {
    /// A bench on a backbone, whose class features it shares with other benches.
    pub fn new(
        facts: BackboneFacts,
        backbone: Arc<Backbone>,
        class_features: Arc<ClassFeatures>,
        words: Arc<dyn Vocabulary>,
        task: TaskData,
        observer: Observer,
    ) -> Self {
        let role = match task.phase() {
            Phase::Training => Role::Source,
            Phase::Evaluation => Role::Target,
        };
        let setting = facts::setting(facts, role, task.facts().clone());
        Self {
            inner: Arc::new(Inner {
                backbone,
                class_features,
                words,
                task,
                setting,
                tapes: Tapes::default(),
                text_work: Mutex::default(),
                edited: Mutex::default(),
                observer,
            }),
        }
    }

    /// The bench as it crosses to a plugin. It lives as long as anyone holds it.
    pub fn object(&self) -> HostObject {
        Host_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }

    /// Text embeddings `[C, E]` of the classes in the data set's templates.
    pub fn class_embeddings(&self) -> Result<Tensor, AbiError> {
        let inner = &self.inner;
        let task = inner.task.facts();
        let prompts = ClassPrompts::of(
            &inner.backbone,
            inner.words.as_ref(),
            task,
            &task.templates,
            Ensemble::NormalisedMean,
        )?;
        inner.class_features.get(&inner.backbone, prompts)
    }

    /// Zero-shot logits `[n, C]` of image features `[n, E]`: scaled cosines with
    /// the [class embeddings](Self::class_embeddings) `[C, E]`.
    pub fn zero_shot(&self, features: &Tensor, classifier: &Tensor) -> Result<Tensor, AbiError> {
        let inner = &self.inner;
        let scale = service::logit_scale(&inner.backbone)?;
        let logits = || normalize(features)?.matmul(&classifier.t()?)? * scale;
        logits().map_err(internal)
    }

    /// How the prompts of all encodings were computed whose gradients could be asked for.
    pub fn text_work(&self) -> Option<TextWork> {
        *self.inner.text_work()
    }

    /// Where encodings changed the towers.
    pub fn edited_sites(&self) -> Vec<Site> {
        self.inner.edited().clone()
    }

    /// Number of encodings whose gradients could still be asked for.
    pub fn open_tapes(&self) -> usize {
        self.inner.tapes.len()
    }
}

impl Inner {
    fn text_work(&self) -> MutexGuard<'_, Option<TextWork>> {
        self.text_work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn edited(&self) -> MutexGuard<'_, Vec<Site>> {
        self.edited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, sites: impl Iterator<Item = Site>) {
        let mut edited = self.edited();
        for site in sites {
            if !edited.contains(&site) {
                edited.push(site);
            }
        }
    }

    fn encode_text(&self, request: &TextRequest, tensors: &[AbiTensor]) -> Result<Reply, AbiError> {
        self.note(request.sites());
        let inputs = Inputs::read(tensors, request.tape)?;
        let prompts = text::prompts(request, &inputs)?;
        let text = self.backbone.text();
        let (features, work) = text.encode_with_work(&prompts).map_err(refused)?;
        if request.tape {
            let mut sum = self.text_work();
            *sum = Some(sum.map_or(work, |before| before.and(work)));
        }
        let mut reply = service::tensor(&features)?;
        let tape = request
            .tape
            .then(|| self.tapes.keep(Tape::held(inputs.into_vars(), features)));
        reply.json = service::json(&Encoded { tape })?.json;
        Ok(reply)
    }

    /// Without edits an image's features are those in the store.
    fn encode_image(
        &self,
        request: ImageRequest,
        tensors: &[AbiTensor],
    ) -> Result<Reply, AbiError> {
        self.note(request.sites());
        let (features, tape) = if request.edits.is_empty() {
            let features = self
                .task
                .features(request.split, &request.rows, request.view)?;
            (features, None)
        } else {
            let pass = ImagePass {
                backbone: Arc::clone(&self.backbone),
                task: self.task.clone(),
                inputs: Inputs::read(tensors, request.tape)?,
                request,
            };
            pass.run()?
        };
        let mut reply = service::tensor(&features)?;
        let tape = tape.map(|tape| self.tapes.keep(tape));
        reply.json = service::json(&Encoded { tape })?.json;
        Ok(reply)
    }
}

/// Entries are guarded: a panic here must not unwind into the plugin.
impl Host for HostBench {
    fn setting(&self) -> RString {
        // A setting of strings and numbers always serialises.
        serde_json::to_string(&self.inner.setting)
            .unwrap_or_default()
            .into()
    }

    fn encode_text(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| self.inner.encode_text(&read(request)?, tensors.as_slice()))
    }

    fn encode_image(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| self.inner.encode_image(read(request)?, tensors.as_slice()))
    }

    fn vjp(&self, tape: u64, cotangent: &AbiTensor) -> RResult<RVec<AbiTensor>, AbiError> {
        at_boundary(|| Ok(self.inner.tapes.vjp(tape, cotangent)?.into()))
    }

    fn release(&self, tape: u64) {
        self.inner.tapes.release(tape);
    }

    fn service(&self, request: RStr<'_>) -> RResult<Reply, AbiError> {
        let Inner {
            backbone,
            class_features,
            words,
            task,
            ..
        } = self.inner.as_ref();
        at_boundary(|| {
            let request = read(request)?;
            service::answer(backbone, words.as_ref(), task, class_features, &request)
        })
    }

    fn progress(&self, done: u64, total: u64) -> RResult<(), AbiError> {
        at_boundary(|| {
            (self.inner.observer)(done, total).map_err(|error| {
                AbiError::new(harness_abi::ErrorKind::Cancelled, error.to_string())
            })
        })
    }
}

fn at_boundary<T>(entry: impl FnOnce() -> Result<T, AbiError>) -> RResult<T, AbiError> {
    guarded("the harness", entry)
}

fn read<T: DeserializeOwned>(request: RStr<'_>) -> Result<T, AbiError> {
    serde_json::from_str(request.as_str()).map_err(|e| {
        refuse(format!(
            "this version of harness cannot read the request: {e}; the plugin may need a newer version"
        ))
    })
}
