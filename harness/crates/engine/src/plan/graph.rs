//! Units of work, each once, under the key of everything that can change it.

use std::collections::HashMap;
use std::path::PathBuf;

use harness_abi::wire::RecipeChanges;
use serde_json::{Value, json};

use super::{Engine, Inputs};
use crate::images::ImageOptions;
use crate::job::{BackboneRef, DatasetRef, Draw, MethodRef, PORTION_ROWS, Portion, Work};
use crate::registry::ModuleFile;
use harness_store::{Key, Store};

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
        portion: Portion,
        images: ImageOptions,
    },
    ZeroShot {
        backbone: BackboneRef,
        dataset: DatasetRef,
        images: ImageOptions,
    },
    Train {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        draw: Draw,
        images: ImageOptions,
        recipe: RecipeChanges,
    },
    Inject {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        images: ImageOptions,
        module: ModulePlace,
    },
}

/// Where the module is that is injected.
#[derive(Clone, Debug)]
pub enum ModulePlace {
    /// In the store, from a training.
    Trained(Key),
    /// In a file, trained elsewhere.
    File(PathBuf),
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
            UnitKind::Features {
                backbone,
                dataset,
                portion,
                images,
            } => Work::Features {
                backbone,
                dataset,
                portion,
                images,
            },
            UnitKind::ZeroShot {
                backbone,
                dataset,
                images,
            } => Work::ZeroShot {
                backbone,
                dataset,
                images,
            },
            UnitKind::Train {
                method,
                backbone,
                dataset,
                draw,
                images,
                recipe,
            } => Work::Train {
                method,
                backbone,
                dataset,
                draw,
                images,
                recipe,
                module: store.module_draft(&self.key),
            },
            UnitKind::Inject {
                method,
                backbone,
                dataset,
                images,
                module,
            } => Work::Inject {
                method,
                backbone,
                dataset,
                images,
                module: match module {
                    ModulePlace::Trained(training) => store.module(&training),
                    ModulePlace::File(path) => path,
                },
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

    /// Image features of the test split of `dataset` on `backbone`: a unit for each portion.
    fn test_features(&mut self, inputs: &Inputs, backbone: usize, dataset: usize) -> Vec<usize> {
        let [_, _, images] = inputs.datasets[dataset].sizes;
        let portions = images.div_ceil(PORTION_ROWS).max(1);
        let units = (0..portions).map(|number| {
            let portion = Portion {
                draw: None,
                view: 0,
                number,
            };
            self.features(inputs, (backbone, dataset), portion, portions)
        });
        units.collect()
    }

    /// Image features of a few-shot draw, every view of it: a unit for each portion.
    fn draw_features(
        &mut self,
        inputs: &Inputs,
        backbone: usize,
        dataset: usize,
        draw: Draw,
    ) -> Vec<usize> {
        let facts = &inputs.datasets[dataset];
        let most = facts.class_names.len().saturating_mul(draw.shots as usize);
        let portions = most.min(facts.sizes[0]).div_ceil(PORTION_ROWS).max(1);
        let mut units = Vec::new();
        for view in 0..inputs.suite.images.views {
            for number in 0..portions {
                let portion = Portion {
                    draw: Some(draw),
                    view,
                    number,
                };
                units.push(self.features(inputs, (backbone, dataset), portion, portions));
            }
        }
        units
    }

    fn features(
        &mut self,
        inputs: &Inputs,
        (backbone, dataset): (usize, usize),
        portion: Portion,
        portions: usize,
    ) -> usize {
        let backbone = &inputs.backbones[backbone].reference;
        let dataset = &inputs.datasets[dataset].reference;
        let images = inputs.suite.images;
        let mut name = format!("features of {}", dataset.name);
        if let Some(draw) = portion.draw {
            name += &format!(", {} shots, seed {}", draw.shots, draw.seed);
        }
        if images.views > 1 && portion.draw.is_some() {
            name += &format!(", view {} of {}", portion.view + 1, images.views);
        }
        if portions > 1 {
            name += &format!(", part {} of {portions}", portion.number + 1);
        }
        name += &format!(" on {}", backbone.name);
        let key = json!({
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "portion": portion,
            "images": seen(&images, portion.draw.is_some()),
        });
        let kind = UnitKind::Features {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            portion,
            images,
        };
        self.add("features", key, name, kind, Vec::new())
    }

    /// Z(backbone) on `dataset`.
    pub(crate) fn zero_shot(&mut self, inputs: &Inputs, backbone: usize, dataset: usize) -> usize {
        let needs = self.test_features(inputs, backbone, dataset);
        let backbone = &inputs.backbones[backbone].reference;
        let dataset = &inputs.datasets[dataset].reference;
        let images = inputs.suite.images;
        let name = format!("zero-shot of {} on {}", dataset.name, backbone.name);
        let key = json!({
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "images": seen(&images, false),
        });
        let kind = UnitKind::ZeroShot {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            images,
        };
        self.add("zero-shot", key, name, kind, needs)
    }

    /// A(backbone→backbone) on `dataset`, and the module it leaves.
    pub(crate) fn train(&mut self, inputs: &Inputs, at: Place, draw: Draw) -> usize {
        let mut needs = self.test_features(inputs, at.backbone, at.dataset);
        needs.extend(self.draw_features(inputs, at.backbone, at.dataset, draw));
        let (method, backbone, dataset) = at.refs(inputs);
        let input = &inputs.methods[at.method];
        let key = json!({
            "method": self.method_inputs(method),
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "images": seen(&inputs.suite.images, true),
            "recipe": input.recipe,
            "shots": draw.shots,
            "seed": draw.seed,
            "sampler": draw.sampler,
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
            images: inputs.suite.images,
            recipe: input.recipe.clone(),
        };
        self.add("train", key, name, kind, needs)
    }

    /// The module of `train`, moved as it is to another backbone or data set.
    pub(crate) fn inject(&mut self, inputs: &Inputs, at: Place, train: usize) -> usize {
        let mut needs = vec![train];
        needs.extend(self.test_features(inputs, at.backbone, at.dataset));
        let (_, backbone, dataset) = at.refs(inputs);
        let module = self.units[train].key.clone();
        let key = json!({
            "module": module,
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "images": seen(&inputs.suite.images, false),
        });
        let (name, kind) = injection(inputs, at, ModulePlace::Trained(module));
        self.add("inject", key, name, kind, needs)
    }

    /// The module of a file, put as it is into a backbone.
    pub(crate) fn adopt(&mut self, inputs: &Inputs, at: Place, file: &ModuleFile) -> usize {
        let needs = self.test_features(inputs, at.backbone, at.dataset);
        let (method, backbone, dataset) = at.refs(inputs);
        let key = json!({
            "method": self.method_inputs(method),
            "module": file.sha256,
            "backbone": backbone.sha256,
            "dataset": dataset.manifest_sha256,
            "images": seen(&inputs.suite.images, false),
        });
        let (name, kind) = injection(inputs, at, ModulePlace::File(file.path.clone()));
        self.add("adopt", key, name, kind, needs)
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

/// A module put as it is into a backbone, and what progress lines call that.
fn injection(inputs: &Inputs, at: Place, module: ModulePlace) -> (String, UnitKind) {
    let (method, backbone, dataset) = at.refs(inputs);
    let name = format!(
        "inject {} into {}, {}",
        inputs.methods[at.method].label, backbone.name, dataset.name
    );
    let kind = UnitKind::Inject {
        method: method.clone(),
        backbone: backbone.clone(),
        dataset: dataset.clone(),
        images: inputs.suite.images,
        module,
    };
    (name, kind)
}

/// What of the options can change a result: augmentation shows in training alone.
fn seen(images: &ImageOptions, in_training: bool) -> Value {
    if in_training {
        json!(images)
    } else {
        json!({"precision": images.precision})
    }
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
