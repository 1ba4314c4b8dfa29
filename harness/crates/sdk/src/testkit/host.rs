//! A host for tests: toy towers, three classes, a dozen images per split.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{Tensor, Var};
use harness_abi::{
    self as abi, AbiError, AbiTensor, ErrorKind, HostObject, Reply,
    abi_stable::sabi_trait::TD_Opaque,
    std_types::{RArc, RResult, RSlice, RStr, RString, RVec},
    wire::{
        Encoded, ImageRequest, Role, Segment, Service, Setting, Site, Split, TextRequest,
        TokenRows, Tokenized, Tower,
    },
};

use super::{
    image_tower::ToyImageTower,
    setting::{ROWS, setting},
    text_tower::{ToyTextTower, WIDTH},
};
use crate::{
    Result,
    boundary::at_boundary,
    host::{from_abi, to_abi},
    ops,
};

/// A host with toy towers. Clones share their tapes.
#[derive(Clone)]
pub struct ToyHost {
    inner: Arc<Inner>,
}

struct Inner {
    text: ToyTextTower,
    images: ToyImageTower,
    setting: Setting,
    tapes: Mutex<HashMap<u64, (Vec<Var>, Tensor)>>,
    /// Where the towers were changed.
    edited: Mutex<Vec<Site>>,
}

impl ToyHost {
    /// A source with a text width of 8.
    ///
    /// # Errors
    /// candle fails.
    pub fn source() -> Result<Self> {
        Self::new(Role::Source, WIDTH)
    }

    /// A target with the same towers.
    ///
    /// # Errors
    /// candle fails.
    pub fn target() -> Result<Self> {
        Self::new(Role::Target, WIDTH)
    }

    /// A target with a text width of 16.
    ///
    /// # Errors
    /// candle fails.
    pub fn wider() -> Result<Self> {
        Self::new(Role::Target, WIDTH * 2)
    }

    /// A target with the same towers and two of the classes in another order; with
    /// `unknown`, the first is a class that the source does not have.
    ///
    /// # Errors
    /// candle fails.
    pub fn other_classes(unknown: bool) -> Result<Self> {
        let mut setting = setting(Role::Target, WIDTH);
        let classes = &mut setting.task.classes;
        *classes = vec![classes[2].clone(), classes[0].clone()];
        if unknown {
            classes[0].id = "c9".to_owned();
        }
        setting.task.dataset = "toy-shifted".to_owned();
        Self::at(setting)
    }

    fn new(role: Role, width: usize) -> Result<Self> {
        Self::at(setting(role, width))
    }

    fn at(mut setting: Setting) -> Result<Self> {
        let text = ToyTextTower::new(setting.backbone.text.width)?;
        let images = ToyImageTower::new()?;
        let parameters = text.parameters.list().chain(images.parameters.list());
        setting.backbone.parameters = parameters.collect();
        Ok(Self {
            inner: Arc::new(Inner {
                text,
                images,
                setting,
                tapes: Mutex::default(),
                edited: Mutex::default(),
            }),
        })
    }

    /// The host as a plugin gets it.
    pub fn object(&self) -> HostObject {
        abi::Host_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }

    /// Encodings whose tape was not released.
    pub fn open_tapes(&self) -> usize {
        self.inner.tapes().len()
    }

    /// Where encodings changed the towers.
    pub fn edited_sites(&self) -> Vec<Site> {
        self.inner.edited().clone()
    }

    pub(super) fn facts(&self) -> &Setting {
        &self.inner.setting
    }
}

/// Token ids: an arbitrary hash of each word.
fn ids(text: &str) -> Vec<u32> {
    let words = text.replace('.', " . ");
    let id = |word: &str| {
        word.bytes()
            .fold(7, |h: u32, b| (h * 31 + u32::from(b)) % 62)
    };
    words.split_whitespace().map(id).collect()
}

impl Inner {
    fn tapes(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Vec<Var>, Tensor)>> {
        self.tapes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edited(&self) -> std::sync::MutexGuard<'_, Vec<Site>> {
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

    /// Runs `encode` on tracked tensors and keeps a tape if requested.
    fn encode(
        &self,
        tensors: &[AbiTensor],
        tape: bool,
        encode: impl FnOnce(&[Tensor]) -> Result<Tensor>,
    ) -> Result<Reply> {
        let mut vars = vec![];
        for tensor in tensors {
            vars.push(Var::from_tensor(&from_abi(tensor.clone())?)?);
        }
        let inputs: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let output = encode(&inputs)?;
        let features = to_abi(&output)?;
        let tape = tape.then(|| {
            let mut tapes = self.tapes();
            let id = tapes.keys().max().map_or(1, |last| last + 1);
            tapes.insert(id, (vars, output));
            id
        });
        reply(&Encoded { tape }, vec![features])
    }

    fn vjp(&self, tape: u64, cotangent: &AbiTensor) -> Result<RVec<AbiTensor>> {
        let tapes = self.tapes();
        let (vars, output) = tapes
            .get(&tape)
            .ok_or_else(|| AbiError::new(ErrorKind::Request, "toy host: no such tape"))?;
        let cotangent = from_abi(cotangent.clone())?;
        let gradients = (output * cotangent)?.sum_all()?.backward()?;
        let mut result = vec![];
        for var in vars {
            let gradient = gradients.get(var).ok_or_else(|| {
                AbiError::new(ErrorKind::Internal, "toy host: a tensor got no gradient")
            })?;
            result.push(to_abi(gradient)?);
        }
        Ok(result.into())
    }

    fn answer(&self, service: &Service) -> Result<Reply> {
        match service {
            Service::Tokenize { texts } => reply(
                &Tokenized {
                    rows: texts.iter().map(|text| ids(text)).collect(),
                    start_of_text: 62,
                    end_of_text: 63,
                },
                vec![],
            ),
            Service::TokenEmbeddings { ids } => tensor(&self.text.embed(ids)?),
            Service::ClassFeatures { templates, .. } => {
                let classes = &self.setting.task.classes;
                let names = classes.iter().map(|class| {
                    let text = templates[0].replace("{}", &class.name.replace('_', " "));
                    [vec![62], ids(&text), vec![63]].concat()
                });
                let rows = TokenRows::PerClass(names.collect());
                let request = TextRequest {
                    groups: 1,
                    classes: classes.len(),
                    segments: vec![Segment::Tokens(rows)],
                    edits: vec![],
                    tape: false,
                };
                let text = self.text.encode(&request, &[])?.squeeze(0)?;
                tensor(&ops::normalize(&text)?)
            }
            Service::ImageFeatures { split, rows, view } => {
                check_rows(rows)?;
                let request = ImageRequest {
                    split: *split,
                    rows: rows.clone(),
                    view: *view,
                    edits: vec![],
                    tape: false,
                };
                tensor(&self.images.encode(&request, &[])?)
            }
            Service::ImageActivations {
                split, rows, stage, ..
            } => {
                check_rows(rows)?;
                tensor(&self.images.activations(*split, rows, *stage)?)
            }
            Service::Parameter {
                tower: Tower::Image,
                name,
            } if name == "head.weight" => tensor(&self.images.projection()?),
            Service::Parameter { tower, name } => tensor(match tower {
                Tower::Text => self.text.parameters.get(name)?,
                Tower::Image => self.images.parameters.get(name)?,
            }),
            Service::Labels { split: Split::Test } => Err(AbiError::new(
                ErrorKind::Request,
                "the labels of the test split are not disclosed",
            )
            .into()),
            Service::Labels { .. } => {
                let labels: Vec<u32> = (0..ROWS as u32).map(|row| row % 3).collect();
                reply(&labels, vec![])
            }
            Service::LogitScale {} => reply(&5.0, vec![]),
        }
    }
}

fn check_rows(rows: &[u32]) -> Result<()> {
    let Some(row) = rows.iter().find(|&&row| row as usize >= ROWS) else {
        return Ok(());
    };
    let message = format!("row {row} does not exist; the toy host has {ROWS} rows");
    Err(AbiError::new(ErrorKind::Request, message).into())
}

fn tensor(tensor: &Tensor) -> Result<Reply> {
    reply(&(), vec![to_abi(tensor)?])
}

fn reply(json: &impl serde::Serialize, tensors: Vec<AbiTensor>) -> Result<Reply> {
    Ok(Reply {
        json: serde_json::to_string(json)?.into(),
        tensors: tensors.into(),
        bytes: RVec::new(),
    })
}

impl abi::Host for ToyHost {
    fn setting(&self) -> RString {
        // A setting always serialises.
        serde_json::to_string(&self.inner.setting)
            .unwrap_or_default()
            .into()
    }

    fn encode_text(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let request: TextRequest = serde_json::from_str(request.as_str())?;
            self.inner.note(request.sites());
            let encode = |inputs: &[Tensor]| self.inner.text.encode(&request, inputs);
            self.inner.encode(tensors.as_slice(), request.tape, encode)
        })
    }

    fn encode_image(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let request: ImageRequest = serde_json::from_str(request.as_str())?;
            check_rows(&request.rows)?;
            self.inner.note(request.sites());
            let encode = |inputs: &[Tensor]| self.inner.images.encode(&request, inputs);
            self.inner.encode(tensors.as_slice(), request.tape, encode)
        })
    }

    fn vjp(&self, tape: u64, cotangent: &AbiTensor) -> RResult<RVec<AbiTensor>, AbiError> {
        at_boundary(|| self.inner.vjp(tape, cotangent))
    }

    fn release(&self, tape: u64) {
        self.inner.tapes().remove(&tape);
    }

    fn service(&self, request: RStr<'_>) -> RResult<Reply, AbiError> {
        at_boundary(|| self.inner.answer(&serde_json::from_str(request.as_str())?))
    }

    fn progress(&self, _done: u64, _total: u64) -> RResult<(), AbiError> {
        RResult::ROk(())
    }
}
