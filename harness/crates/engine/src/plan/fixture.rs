//! A small suite with its inputs, for tests.

use std::path::PathBuf;

use harness_abi::wire::{MethodCard, Recipe, RecipeChanges};
use harness_data::OpenOptions;
use serde_json::json;

use super::{Engine, Inputs, MethodInput};
use crate::images::ImageOptions;
use crate::job::{
    BackboneFiles, BackboneRef, DatasetFiles, DatasetRef, MethodRef, PluginRef, Presence,
};
use crate::registry::{BackboneFacts, Contents, DatasetFacts};
use crate::suite::{DatasetEntry, MethodEntry, RecipeBase, RecipeChoice, Sampler, Suite, Upgrade};

pub(crate) fn backbone(name: &str) -> BackboneFacts {
    BackboneFacts {
        reference: BackboneRef {
            name: name.to_owned(),
            files: Presence::Present(BackboneFiles {
                path: PathBuf::from(name),
                sha256: format!("sha of {name}"),
                image_size: None,
            }),
        },
        architecture: Presence::Absent,
    }
}

pub(crate) fn dataset(name: &str, shift_of: Option<&str>) -> DatasetFacts {
    DatasetFacts {
        reference: DatasetRef {
            name: name.to_owned(),
            files: Presence::Present(DatasetFiles {
                path: PathBuf::from(name),
                opening: OpenOptions::default(),
                manifest_sha256: format!("sha of {name}"),
            }),
        },
        name: name.to_owned(),
        title: name.to_owned(),
        shift_of: shift_of.map(str::to_owned),
        contents: Presence::Present(Contents {
            class_names: Vec::new(),
            templates: Vec::new(),
            class_ids: Vec::new(),
            sizes: [1, 1, 1],
            train_per_class: Vec::new(),
            missing: 0,
        }),
    }
}

/// The card of a method of a family (`input`, `weights`, …) that reads `data`.
pub(crate) fn card(family: &str, data: &str) -> MethodCard {
    let card = json!({
        "id": "coop", "title": "", "paper": "", "family": family, "depth": "", "sites": [],
        "needs": [], "data": data, "carried": [], "recomputed": [],
        "recipe": Recipe { epochs: 10, batch: 8, ..Recipe::default() },
    });
    serde_json::from_value(card).unwrap()
}

pub(crate) fn method(label: &str) -> MethodInput {
    MethodInput {
        label: label.to_owned(),
        method: MethodRef {
            plugin: PluginRef::library("coop.so".into()),
            plugin_sha256: "sha of coop".to_owned(),
            id: label.to_owned(),
            config: json!({}),
        },
        card: card("input", "features"),
        recipe: RecipeChanges::default(),
        base: RecipeBase::Own,
        changes: RecipeChanges::default(),
        module: None,
        home: None,
    }
}

/// A method's entry in a suite.
pub(crate) fn entry(label: &str) -> MethodEntry {
    MethodEntry {
        id: label.to_owned(),
        label: label.to_owned(),
        config: serde_json::Map::new(),
        recipe: RecipeChoice::default(),
        module: None,
        python: None,
    }
}

/// One source `s`, one data set `d`, one method `coop`, 16 shots, seed 1, oracle.
pub(crate) fn inputs(targets: &[&str]) -> Inputs {
    let mut backbones: Vec<BackboneFacts> = vec![backbone("s")];
    backbones.extend(
        targets
            .iter()
            .filter(|name| **name != "s")
            .map(|name| backbone(name)),
    );
    Inputs {
        engine: Engine {
            version: "1".to_owned(),
            sha256: "a".to_owned(),
            arithmetic: None,
        },
        suite: Suite {
            name: "suite".to_owned(),
            description: None,
            upgrades: vec![Upgrade::to_targets(
                "s",
                targets.iter().map(|name| (*name).to_owned()).collect(),
            )],
            methods: vec![entry("coop")],
            modules: Vec::new(),
            datasets: vec![DatasetEntry::named("d")],
            data: None,
            sampler: Sampler::Coop,
            shots: vec![16],
            seeds: vec![1].into(),
            oracle: true,
            recipe: RecipeChoice::default(),
            images: ImageOptions::default(),
            device: None,
            precision: None,
            time_limit: 600,
            gate: None,
            slurm: None,
            plugins: Vec::new(),
            python: None,
        },
        methods: vec![method("coop")],
        backbones,
        datasets: vec![dataset("d", None)],
        brought: 0,
        absent: Vec::new(),
    }
}
