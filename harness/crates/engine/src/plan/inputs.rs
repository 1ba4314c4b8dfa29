//! What a plan is made from: a suite whose names have been followed.

use harness_abi::wire::{MethodCard, RecipeChanges};
use serde_json::Value;

use super::common;
use crate::job::MethodRef;
use crate::registry::{
    Absent, BackboneFacts, DatasetFacts, InputKind, ModuleFile, RegisteredPlugin,
};
use crate::suite::{MethodEntry, RecipeBase, Suite};

/// The program that computes, as part of every content key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    pub version: String,
    /// SHA-256 of the executable: a result of another build is another result.
    pub sha256: String,
}

/// A row of the matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodInput {
    pub label: String,
    pub method: MethodRef,
    /// Changes to the method's own recipe.
    pub recipe: RecipeChanges,
    /// Whose recipe that is, and what the suite and the entry change in it.
    pub base: RecipeBase,
    pub changes: RecipeChanges,
    /// The module, where it was trained elsewhere.
    pub module: Option<ModuleFile>,
}

impl MethodInput {
    /// A row from its entry in the suite: the entry's changes on top of the suite's, on
    /// top of the common recipe where that is asked for.
    pub fn new(
        entry: &MethodEntry,
        suite: &Suite,
        (card, plugin): (&MethodCard, &RegisteredPlugin),
        module: Option<ModuleFile>,
    ) -> Self {
        let base = entry.recipe.base.or(suite.recipe.base).unwrap_or_default();
        let changes = suite.recipe.changes.then(&entry.recipe.changes);
        let (mut config, common) = match base {
            RecipeBase::Own => (
                Value::Object(entry.config.clone()),
                RecipeChanges::default(),
            ),
            RecipeBase::Common => (
                common::config(card, &entry.config),
                common::recipe_changes(card),
            ),
        };
        if let Some(file) = module.as_ref().filter(|_| entry.config.is_empty()) {
            config = file.header.config.clone();
        }
        Self {
            label: entry.label.clone(),
            method: MethodRef {
                plugin: plugin.path.clone(),
                plugin_sha256: plugin.sha256.clone(),
                id: entry.id.clone(),
                config,
            },
            recipe: common.then(&changes),
            base,
            changes,
            module,
        }
    }
}

/// Everything a plan needs to know.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub engine: Engine,
    pub suite: Suite,
    /// In the suite's order.
    pub methods: Vec<MethodInput>,
    /// Sources and targets, each once.
    pub backbones: Vec<BackboneFacts>,
    /// The suite's data sets in its order, then those that only modules of shifted
    /// ones are trained on.
    pub datasets: Vec<DatasetFacts>,
    /// Of both, those whose files are not on disk; their facts say nothing.
    pub absent: Vec<Absent>,
}

impl Inputs {
    /// Index of a backbone that the suite names.
    pub(crate) fn backbone(&self, name: &str) -> Option<usize> {
        let mut names = self
            .backbones
            .iter()
            .map(|backbone| &backbone.reference.name);
        names.position(|other| other == name)
    }

    /// Names of the absent ones among some backbones and data sets, each once.
    pub(crate) fn absent(&self, backbones: &[usize], datasets: &[usize]) -> Vec<&str> {
        let backbones = backbones.iter().map(|index| {
            let name = self.backbones[*index].reference.name.as_str();
            (InputKind::Backbone, name)
        });
        let datasets = datasets.iter().map(|index| {
            let name = self.datasets[*index].reference.name.as_str();
            (InputKind::Dataset, name)
        });
        let mut names: Vec<&str> = Vec::new();
        for (kind, name) in backbones.chain(datasets) {
            let mut absent = self.absent.iter();
            let is_absent = absent.any(|input| input.kind == kind && input.name == name);
            if is_absent && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The data set that modules for `dataset` are trained on.
    pub(crate) fn training_set(&self, dataset: usize) -> usize {
        let wanted = self.datasets[dataset].shift_of.as_deref();
        let mut all = self.datasets.iter();
        wanted
            .and_then(|wanted| all.position(|other| other.goes_by(wanted)))
            .unwrap_or(dataset)
    }
}
