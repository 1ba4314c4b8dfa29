//! Units of work, each once, under the key of everything that can change it.

use std::collections::HashMap;
use std::ops::Index;
use std::path::PathBuf;

use harness_store::{Key, Store};

use super::index::{BackboneIndex, DatasetIndex, MethodIndex, UnitIndex};
use super::key::key;
use super::{Engine, Inputs};
use crate::job::{
    BackboneRef, DatasetRef, Draw, MethodRef, ModuleSource, PORTION_ROWS, Portion, UnitWork, Work,
};
use crate::registry::ModuleFile;
use crate::schedule::TaskResult;

/// How a unit ended; what blocked it is a unit too.
pub type UnitResult = TaskResult<UnitIndex>;

/// One piece of work that is stored on its own.
#[derive(Clone, Debug)]
pub struct Unit {
    pub key: Key,
    /// What progress lines call it.
    pub name: String,
    pub work: UnitWork,
    /// Units that have to be done before.
    pub needs: Vec<UnitIndex>,
    /// The method that takes part.
    pub(crate) method: Option<MethodIndex>,
    pub(crate) backbone: BackboneIndex,
    pub(crate) dataset: DatasetIndex,
}

impl Unit {
    /// The work for a worker, with the file of its module. A training writes a draft, which
    /// the store takes over once the worker has replied.
    pub fn work(&self, store: &Store) -> Work {
        Work::Unit {
            work: Box::new(self.work.clone()),
            module: self.module(store),
        }
    }

    fn module(&self, store: &Store) -> Option<PathBuf> {
        match &self.work {
            UnitWork::Survey { .. } | UnitWork::Features { .. } | UnitWork::ZeroShot { .. } => None,
            UnitWork::Train { .. } => Some(store.module_draft(&self.key)),
            UnitWork::Inject { module, .. } => Some(match module {
                ModuleSource::Training { key } => store.module(key),
                ModuleSource::File { path, .. } => path.clone(),
            }),
        }
    }
}

/// All units of a plan. Asking twice for the same work gives the same unit.
#[derive(Clone, Debug)]
pub struct Graph {
    pub units: Vec<Unit>,
    engine: Engine,
    by_key: HashMap<Key, UnitIndex>,
}

impl Index<UnitIndex> for Graph {
    type Output = Unit;

    fn index(&self, UnitIndex(position): UnitIndex) -> &Unit {
        &self.units[position]
    }
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
    pub(crate) fn survey(&mut self, inputs: &Inputs, at: Placement) -> UnitIndex {
        let (method, backbone, dataset) = at.refs(inputs);
        let name = format!(
            "survey {} on {}, {}",
            method.id, backbone.name, dataset.name
        );
        let work = UnitWork::Survey {
            method: method.clone(),
            backbone: backbone.clone(),
            dataset: dataset.clone(),
        };
        self.add(name, work, at.into(), Vec::new())
    }

    /// Image features of the test split of `dataset` on `backbone`: a unit for each portion.
    fn test_features(
        &mut self,
        inputs: &Inputs,
        backbone: BackboneIndex,
        dataset: DatasetIndex,
    ) -> Vec<UnitIndex> {
        let contents = inputs[dataset].contents.present();
        let images = contents.map_or(0, |known| known.sizes[2]);
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
        backbone: BackboneIndex,
        dataset: DatasetIndex,
        draw: Draw,
    ) -> Vec<UnitIndex> {
        let images = inputs[dataset].contents.present().map_or(0, |known| {
            let most = known.class_names.len().saturating_mul(draw.shots as usize);
            most.min(known.sizes[0])
        });
        let portions = images.div_ceil(PORTION_ROWS).max(1);
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
        (backbone, dataset): (BackboneIndex, DatasetIndex),
        portion: Portion,
        portions: usize,
    ) -> UnitIndex {
        let at = UnitSubject {
            method: None,
            backbone,
            dataset,
        };
        let backbone = &inputs[backbone].reference;
        let dataset = &inputs[dataset].reference;
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
        let work = UnitWork::Features {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            portion,
            images,
        };
        self.add(name, work, at, Vec::new())
    }

    /// Z(backbone) on `dataset`.
    pub(crate) fn zero_shot(
        &mut self,
        inputs: &Inputs,
        backbone: BackboneIndex,
        dataset: DatasetIndex,
    ) -> UnitIndex {
        let needs = self.test_features(inputs, backbone, dataset);
        let at = UnitSubject {
            method: None,
            backbone,
            dataset,
        };
        let backbone = &inputs[backbone].reference;
        let dataset = &inputs[dataset].reference;
        let name = format!("zero-shot of {} on {}", dataset.name, backbone.name);
        let work = UnitWork::ZeroShot {
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            images: inputs.suite.images,
        };
        self.add(name, work, at, needs)
    }

    /// A(backbone→backbone) on `dataset`, and the module it leaves.
    pub(crate) fn train(&mut self, inputs: &Inputs, at: Placement, draw: Draw) -> UnitIndex {
        let mut needs = self.test_features(inputs, at.backbone, at.dataset);
        needs.extend(self.draw_features(inputs, at.backbone, at.dataset, draw));
        let (method, backbone, dataset) = at.refs(inputs);
        let input = &inputs[at.method];
        let name = format!(
            "train {} on {}, {}, {} shots, seed {}",
            input.label, backbone.name, dataset.name, draw.shots, draw.seed
        );
        let work = UnitWork::Train {
            method: method.clone(),
            backbone: backbone.clone(),
            dataset: dataset.clone(),
            draw,
            images: inputs.suite.images,
            recipe: input.recipe.clone(),
        };
        self.add(name, work, at.into(), needs)
    }

    /// The module of `train`, moved as it is to another backbone or data set.
    pub(crate) fn inject(&mut self, inputs: &Inputs, at: Placement, train: UnitIndex) -> UnitIndex {
        let mut needs = vec![train];
        needs.extend(self.test_features(inputs, at.backbone, at.dataset));
        let module = ModuleSource::Training {
            key: self[train].key.clone(),
        };
        let (name, work) = injection(inputs, at, module);
        self.add(name, work, at.into(), needs)
    }

    /// The module of a file, put as it is into a backbone.
    pub(crate) fn adopt(&mut self, inputs: &Inputs, at: Placement, file: &ModuleFile) -> UnitIndex {
        let needs = self.test_features(inputs, at.backbone, at.dataset);
        let module = ModuleSource::File {
            path: file.path.clone(),
            sha256: file.sha256.clone(),
        };
        let (name, work) = injection(inputs, at, module);
        self.add(name, work, at.into(), needs)
    }

    fn add(
        &mut self,
        name: String,
        work: UnitWork,
        at: UnitSubject,
        needs: Vec<UnitIndex>,
    ) -> UnitIndex {
        let key = key(&self.engine, &work);
        let next = UnitIndex(self.units.len());
        let index = *self.by_key.entry(key.clone()).or_insert(next);
        if index == next {
            self.units.push(Unit {
                key,
                name,
                work,
                needs,
                method: at.method,
                backbone: at.backbone,
                dataset: at.dataset,
            });
        }
        index
    }
}

/// A module put as it is into a backbone, and what progress lines call that.
fn injection(inputs: &Inputs, at: Placement, module: ModuleSource) -> (String, UnitWork) {
    let (method, backbone, dataset) = at.refs(inputs);
    let name = format!(
        "inject {} into {}, {}",
        inputs[at.method].label, backbone.name, dataset.name
    );
    let work = UnitWork::Inject {
        method: method.clone(),
        backbone: backbone.clone(),
        dataset: dataset.clone(),
        images: inputs.suite.images,
        module,
    };
    (name, work)
}

/// A method in a backbone, on a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Placement {
    pub(crate) method: MethodIndex,
    pub(crate) backbone: BackboneIndex,
    pub(crate) dataset: DatasetIndex,
}

impl Placement {
    fn refs(self, inputs: &Inputs) -> (&MethodRef, &BackboneRef, &DatasetRef) {
        (
            &inputs[self.method].method,
            &inputs[self.backbone].reference,
            &inputs[self.dataset].reference,
        )
    }
}

/// What a unit is about: a backbone on a data set, with or without a method.
struct UnitSubject {
    method: Option<MethodIndex>,
    backbone: BackboneIndex,
    dataset: DatasetIndex,
}

impl From<Placement> for UnitSubject {
    fn from(at: Placement) -> Self {
        Self {
            method: Some(at.method),
            backbone: at.backbone,
            dataset: at.dataset,
        }
    }
}
