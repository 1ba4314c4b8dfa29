//! What a plan is made from: a suite with its names resolved.

use std::ops::Index;

use harness_abi::wire::{MethodCard, Recipe, RecipeChanges};
use serde_json::Value;

use super::common;
use super::index::{BackboneIndex, DatasetIndex, MethodIndex};
use crate::device::Arithmetic;
use crate::job::{Draw, MethodRef};
use crate::registry::{
    Absent, BackboneFacts, DatasetFacts, InputKind, ModuleFile, RegisteredPlugin,
};
use crate::suite::{MethodEntry, Pair, RecipeBase, Suite};

/// The program that computes, as part of every content key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    pub version: String,
    /// SHA-256 of the executable: a result of another build is another result.
    pub sha256: String,
    /// Of the towers on a GPU; none on the CPU.
    pub arithmetic: Option<Arithmetic>,
}

/// A row of the matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodInput {
    pub label: String,
    pub method: MethodRef,
    /// What the plugin says of the method.
    pub card: MethodCard,
    /// Changes to the method's own recipe.
    pub recipe: RecipeChanges,
    /// Whose recipe that is, and what the suite and the entry change in it.
    pub base: RecipeBase,
    pub changes: RecipeChanges,
    /// The module, where it was trained elsewhere.
    pub module: Option<ModuleFile>,
    /// Where a module of the suite's `modules` belongs; other rows are tested everywhere.
    pub home: Option<ModuleHome>,
}

/// The cells of a module: its own data set, draw and sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleHome {
    pub dataset: DatasetIndex,
    /// The backbones it was trained on, by hash, or those that the suite accepts.
    pub sources: Vec<BackboneIndex>,
    pub draw: Draw,
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
        let recipe = match module.as_ref().and_then(ModuleFile::recipe) {
            Some(recipe) => RecipeChanges::from(recipe),
            None => common.then(&changes),
        };
        Self {
            label: entry.label.clone(),
            method: MethodRef {
                plugin: plugin.reference.clone(),
                plugin_sha256: plugin.sha256.clone(),
                id: entry.id.clone(),
                config,
            },
            card: card.clone(),
            recipe,
            base,
            changes,
            module,
            home: None,
        }
    }

    /// The recipe it is trained with.
    pub(crate) fn recipe(&self) -> Recipe {
        let own = self.card.recipe.clone().unwrap_or_default();
        // The suite's check has rejected values that no recipe can have.
        own.with(&self.recipe).unwrap_or(own)
    }

    /// Whether the target's own module is trained as this row says: a module that was trained
    /// elsewhere needs a header that tells how.
    pub(crate) fn can_be_retrained(&self) -> bool {
        let file = self.module.as_ref();
        file.is_none_or(|file| file.header.origin.is_some())
    }
}

/// Where the module of a row comes from in an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is trained on the source.
    Training,
    /// It is the row's file.
    File,
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
    /// The suite's data sets in its order, then those that only its `modules` bring, then
    /// those that only modules of shifted ones are trained on.
    pub datasets: Vec<DatasetFacts>,
    /// How many of them only its `modules` bring.
    pub brought: usize,
    /// Of both, those whose files are not on disk; their facts are placeholders.
    pub absent: Vec<Absent>,
}

impl Index<MethodIndex> for Inputs {
    type Output = MethodInput;

    fn index(&self, MethodIndex(position): MethodIndex) -> &MethodInput {
        &self.methods[position]
    }
}

impl Index<BackboneIndex> for Inputs {
    type Output = BackboneFacts;

    fn index(&self, BackboneIndex(position): BackboneIndex) -> &BackboneFacts {
        &self.backbones[position]
    }
}

impl Index<DatasetIndex> for Inputs {
    type Output = DatasetFacts;

    fn index(&self, DatasetIndex(position): DatasetIndex) -> &DatasetFacts {
        &self.datasets[position]
    }
}

impl Inputs {
    /// A backbone that an upgrade of the suite names.
    pub(crate) fn backbone(&self, name: &str) -> BackboneIndex {
        let mut names = self.backbones.iter().map(|facts| &facts.reference.name);
        let position = names.position(|other| other == name);
        BackboneIndex(position.expect("inputs hold every backbone that an upgrade names"))
    }

    /// Where the module of a row comes from in an upgrade; none if the row has no part in it. A
    /// module file takes part where it was trained on the source and, if modules are retrained,
    /// anew on each backbone of a chain behind that one.
    pub(crate) fn origin(&self, method: MethodIndex, pair: &Pair<'_>) -> Option<Origin> {
        let row = &self[method];
        let Some(file) = &row.module else {
            return Some(Origin::Training);
        };
        let is_own = |name: &str| match &row.home {
            Some(home) => home.sources.contains(&self.backbone(name)),
            None => file.header.source == name,
        };
        if is_own(pair.source) {
            return Some(Origin::File);
        }
        let is_retrained = self.suite.oracle && row.can_be_retrained();
        let is_behind = pair.before.iter().any(|name| is_own(name));
        (is_retrained && is_behind).then_some(Origin::Training)
    }

    /// Names of the absent ones among some backbones and data sets, each once.
    pub(crate) fn absent(
        &self,
        backbones: &[BackboneIndex],
        datasets: &[DatasetIndex],
    ) -> Vec<&str> {
        let backbones = backbones.iter().map(|index| {
            let name = self[*index].reference.name.as_str();
            (InputKind::Backbone, name)
        });
        let datasets = datasets.iter().map(|index| {
            let name = self[*index].reference.name.as_str();
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
    pub(crate) fn training_set(&self, dataset: DatasetIndex) -> DatasetIndex {
        let Some(base) = &self[dataset].shift_of else {
            return dataset;
        };
        let position = self.datasets.iter().position(|other| other.goes_by(base));
        DatasetIndex(position.expect("inputs hold the base of every shifted data set"))
    }
}
