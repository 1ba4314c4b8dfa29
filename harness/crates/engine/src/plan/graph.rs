//! Units of work, each once, under the key of everything that can change it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Engine, Inputs};
use crate::job::{BackboneRef, DatasetRef, Draw, MethodRef, Work};
use crate::store::{Key, Store};

/// One piece of work that is stored on its own.
#[derive(Clone, Debug)]
pub struct Unit {
    pub key: Key,
    /// What progress lines call it.
    pub name: String,
    pub kind: UnitKind,
    /// Units that have to be done before.
    pub needs: Vec<usize>,
}

/// What a unit does. Where modules lie on disk is the store's business.
#[derive(Clone, Debug)]
pub enum UnitKind {
    Survey {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
    },
    Features {
        backbone: BackboneRef,
        dataset: DatasetRef,
    },
    ZeroShot {
        backbone: BackboneRef,
        dataset: DatasetRef,
    },
    Train {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        draw: Draw,
        recipe: Value,
    },
    Inject {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        /// The training whose module is injected.
        module: Key,
    },
}

impl Unit {
    /// The job for a worker. A training writes a draft, which the store takes over
    /// once the worker has answered.
    pub fn work(&self, store: &Store) -> Work {
        match self.kind.clone() {
            UnitKind::Survey {
                method,
                backbone,
                dataset,
            } => Work::Survey {
                method,
                backbone,
                dataset,
            },
            UnitKind::Features { backbone, dataset } => Work::Features { backbone, dataset },
            UnitKind::ZeroShot { backbone, dataset } => Work::ZeroShot { backbone, dataset },
            UnitKind::Train {
                method,
                backbone,
                dataset,
                draw,
                recipe,
            } => Work::Train {
                method,
                backbone,
                dataset,
                draw,
                recipe,
                module: store.module_draft(&self.key),
            },
            UnitKind::Inject {
                method,
                backbone,
                dataset,
                module,
            } => Work::Inject {
                method,
                backbone,
                dataset,
                module: store.module(&module),
            },
        }
    }

    /// Rough share of the time, for the estimate of the time left.
    pub fn weight(&self) -> f64 {
        match self.kind {
            UnitKind::Survey { .. } => 0.1,
            UnitKind::Features { .. } => 5.0,
            UnitKind::ZeroShot { .. } | UnitKind::Inject { .. } => 1.0,
            UnitKind::Train { .. } => 20.0,
        }
    }
}

/// All units of a plan. Asking twice for the same work gives the same unit.
#[derive(Clone, Debug)]
pub struct Graph {
    pub units: Vec<Unit>,
    engine: Engine,
    by_key: HashMap<Key, usize>,
}

impl Graph {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            units: Vec::new(),
            engine: engine.clone(),
            by_key: HashMap::new(),
        }
    }

    /// Whether `method` fits `backbone` on `dataset`.
    pub(crate) fn survey(&mut self, inputs: &Inputs, at: Place) -> usize {
        let (method, backbone, dataset) = at.refs(inputs);
        let inputs = json!({
            "method": self.method_inputs(method),
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
        });
        let name = format!(
            "survey {} on {}, {}",
            method.id, backbone.name, dataset.name
        );
        let kind = UnitKind::Survey {
            method: method.clone(),
            backbone: backbone.clone(),
            dataset: dataset.clone(),
        };
        self.add("survey", inputs, name, kind, Vec::new())
    }

    /// Image features of `dataset` on `backbone`.
    pub(crate) fn features(&mut self, inputs: &Inputs, backbone: usize, dataset: usize) -> usize {
        let backbone = &inputs.backbones[backbone].reference;
        let dataset = &inputs.datasets[dataset].reference;
        let name = format!("features of {} on {}", dataset.name, backbone.name);
        let kind = UnitKind::Features {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
        };
        self.add(
            "features",
            data_inputs(backbone, dataset),
            name,
            kind,
            Vec::new(),
        )
    }

    /// Z(backbone) on `dataset`.
    pub(crate) fn zero_shot(&mut self, inputs: &Inputs, backbone: usize, dataset: usize) -> usize {
        let needs = vec![self.features(inputs, backbone, dataset)];
        let backbone = &inputs.backbones[backbone].reference;
        let dataset = &inputs.datasets[dataset].reference;
        let name = format!("zero-shot of {} on {}", dataset.name, backbone.name);
        let kind = UnitKind::ZeroShot {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
        };
        self.add(
            "zero-shot",
            data_inputs(backbone, dataset),
            name,
            kind,
            needs,
        )
    }

    /// A(backbone→backbone) on `dataset`, and the module it leaves.
    pub(crate) fn train(&mut self, inputs: &Inputs, at: Place, draw: Draw) -> usize {
        let needs = vec![self.features(inputs, at.backbone, at.dataset)];
        let (method, backbone, dataset) = at.refs(inputs);
        let input = &inputs.methods[at.method];
        let key = json!({
            "method": self.method_inputs(method),
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "recipe": input.recipe,
            "shots": draw.shots,
            "seed": draw.seed,
        });
        let name = format!(
            "train {} on {}, {}, {} shots, seed {}",
            input.label, backbone.name, dataset.name, draw.shots, draw.seed
        );
        let kind = UnitKind::Train {
            method: method.clone(),
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            draw,
            recipe: input.recipe.clone(),
        };
        self.add("train", key, name, kind, needs)
    }

    /// The module of `train`, moved as it is to another backbone or data set.
    pub(crate) fn inject(&mut self, inputs: &Inputs, at: Place, train: usize) -> usize {
        let needs = vec![train, self.features(inputs, at.backbone, at.dataset)];
        let (method, backbone, dataset) = at.refs(inputs);
        let module = self.units[train].key.clone();
        let key = json!({
            "module": module,
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
        });
        let name = format!(
            "inject {} into {}, {}",
            inputs.methods[at.method].label, backbone.name, dataset.name
        );
        let kind = UnitKind::Inject {
            method: method.clone(),
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            module,
        };
        self.add("inject", key, name, kind, needs)
    }

    fn add(
        &mut self,
        kind_name: &str,
        inputs: Value,
        name: String,
        kind: UnitKind,
        needs: Vec<usize>,
    ) -> usize {
        let key = Key::of(&json!({
            "engine": [self.engine.version, self.engine.sha256],
            "kind": kind_name,
            "inputs": inputs,
        }));
        let next = self.units.len();
        let index = *self.by_key.entry(key.clone()).or_insert(next);
        if index == next {
            self.units.push(Unit {
                key,
                name,
                kind,
                needs,
            });
        }
        index
    }

    fn method_inputs(&self, method: &MethodRef) -> Value {
        json!({
            "plugin": method.plugin_sha256,
            "id": method.id,
            "config": method.config,
        })
    }
}

fn data_inputs(backbone: &BackboneRef, dataset: &DatasetRef) -> Value {
    json!({
        "backbone": backbone.sha256,
        "dataset": dataset.manifest_sha256,
    })
}

/// A method in a backbone, on a data set: indices into [`Inputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) method: usize,
    pub(crate) backbone: usize,
    pub(crate) dataset: usize,
}

impl Place {
    fn refs(self, inputs: &Inputs) -> (&MethodRef, &BackboneRef, &DatasetRef) {
        (
            &inputs.methods[self.method].method,
            &inputs.backbones[self.backbone].reference,
            &inputs.datasets[self.dataset].reference,
        )
    }
}
