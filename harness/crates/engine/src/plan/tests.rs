//! What decides a key, and which units a cell is made of.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::fixture::{dataset, entry, inputs, method};
use super::*;
use crate::images::{Augment, FeaturePrecision};
use crate::job::{BackboneFiles, DatasetFiles, JobOutput, PluginRef, Presence, UnitWork, Usage};
use crate::registry::{Absent, Contents, InputKind};
use crate::suite::{Chain, DatasetEntry, SplitsAndTrainings, SuiteSeeds, Upgrade};
use harness_report::selection::{Selection, Term};
use harness_store::Key;

type ShapeOf<'s> = &'s dyn Fn(&str, &str) -> UnitResult;

fn fits_with(inputs: &Inputs, answer: ShapeOf<'_>) -> Fits {
    let (graph, surveys) = Plan::surveys(inputs, &Selection::default());
    let mut fits = Fits::default();
    for (at, unit) in surveys {
        let UnitWork::Survey {
            backbone, dataset, ..
        } = &graph[unit].work
        else {
            panic!("not a survey");
        };
        fits.add(at, answer(&backbone.name, &dataset.name));
    }
    fits
}

fn shaped(shape: &[usize]) -> UnitResult {
    UnitResult::Finished {
        output: Arc::new(JobOutput::Surveyed {
            parameters: shape.iter().product::<usize>() as u64,
            shapes: BTreeMap::from([("ctx".to_owned(), shape.to_vec())]),
            class_axes: BTreeMap::new(),
            optional: BTreeSet::new(),
            recipe: None,
        }),
        usage: Usage::default(),
    }
}

fn plan(inputs: &Inputs) -> Plan {
    let fits = fits_with(inputs, &|_, _| shaped(&[4, 8]));
    Plan::new(inputs, &Selection::default(), &fits)
}

fn keys(inputs: &Inputs) -> HashSet<Key> {
    plan(inputs)
        .graph
        .units
        .into_iter()
        .map(|unit| unit.key)
        .collect()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.graph
        .units
        .iter()
        .map(|unit| unit.name.as_str())
        .collect()
}

#[test]
fn a_cell_is_made_of_the_five_conditions() {
    let inputs = inputs(&["t"]);
    let plan = plan(&inputs);
    assert_eq!(
        names(&plan),
        [
            "features of d on s",
            "zero-shot of d on s",
            "features of d on t",
            "zero-shot of d on t",
            "features of d, 16 shots, seed 1 on s",
            "train coop on s, d, 16 shots, seed 1",
            "inject coop into t, d",
            "features of d, 16 shots, seed 1 on t",
            "train coop on t, d, 16 shots, seed 1",
        ]
    );
    let [cell] = &plan.cells[..] else {
        panic!("one cell");
    };
    assert_eq!(
        (
            cell.zero_source,
            cell.zero_target,
            &cell.train,
            &cell.base,
            &cell.new,
            &cell.oracle
        ),
        (
            UnitIndex(1),
            UnitIndex(3),
            &Ok(UnitIndex(5)),
            &Ok(UnitIndex(5)),
            &Ok(UnitIndex(6)),
            &Some(Ok(UnitIndex(8)))
        )
    );
    for (index, unit) in plan.graph.units.iter().enumerate() {
        assert!(
            unit.needs.iter().all(|need| need.0 < index),
            "{}",
            unit.name
        );
    }
    assert_eq!(plan.graph.units[5].needs, [0, 4].map(UnitIndex));
    assert_eq!(plan.graph.units[6].needs, [5, 2].map(UnitIndex));
}

#[test]
fn features_of_many_images_and_views_are_shared_work() {
    let mut inputs = inputs(&["t"]);
    inputs.suite.oracle = false;
    inputs.datasets[0].contents = Presence::Present(Contents {
        templates: Vec::new(),
        class_names: vec![String::new(); 100],
        class_ids: Vec::new(),
        sizes: [5000, 0, 2049],
        train_per_class: Vec::new(),
        missing: 0,
    });
    inputs.suite.images.views = 2;
    let plan = plan(&inputs);
    let needs = |name: &str| {
        let units = &plan.graph.units;
        let unit = units.iter().find(|unit| unit.name.starts_with(name));
        let needs = unit.unwrap().needs.iter();
        needs
            .map(|need| units[need.0].name.as_str())
            .collect::<Vec<_>>()
    };
    let test = ["1", "2", "3"].map(|part| format!("features of d, part {part} of 3 on s"));
    assert_eq!(needs("zero-shot of d on s"), test);
    let drawn = [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(view, part)| {
        format!("features of d, 16 shots, seed 1, view {view} of 2, part {part} of 2 on s")
    });
    assert_eq!(needs("train"), [test.as_slice(), &drawn].concat());
}

#[test]
fn augmentation_is_part_of_a_training_and_precision_of_everything() {
    let original = keys(&inputs(&["t"]));
    let left = |change: fn(&mut Inputs)| {
        let mut changed = inputs(&["t"]);
        change(&mut changed);
        original.intersection(&keys(&changed)).count()
    };
    // The test features and zero-shots of both backbones stay.
    assert_eq!(
        left(|inputs| inputs.suite.images.augment = Augment::Flip),
        4
    );
    assert_eq!(left(|inputs| inputs.suite.images.scale[0] = 0.5), 4);
    let half = |inputs: &mut Inputs| inputs.suite.images.precision = FeaturePrecision::F16;
    assert_eq!(left(half), 0);
}

#[test]
fn what_cells_share_is_one_unit() {
    let mut inputs = inputs(&["t", "u"]);
    inputs.suite.methods.push(entry("again"));
    inputs.methods.push(method("coop"));
    inputs.methods[1].label = "again".to_owned();
    let plan = plan(&inputs);
    assert_eq!(plan.cells.len(), 4);
    let trainings = names(&plan)
        .iter()
        .filter(|name| name.starts_with("train"))
        .count();
    assert_eq!(trainings, 3, "one a backbone: {:?}", names(&plan));
}

#[test]
fn the_retrained_module_of_a_target_is_the_source_of_the_next_upgrade() {
    let mut inputs = inputs(&["t", "u"]);
    let chain = ["s", "t", "u"].map(str::to_owned).to_vec();
    inputs.suite.upgrades = vec![Upgrade::Chain(Chain { chain })];
    let plan = plan(&inputs);
    // s → t, s → u and t → u.
    let [first, third, second] = &plan.cells[..] else {
        panic!("three cells");
    };
    assert_eq!(first.oracle.as_ref(), Some(&second.train));
    assert_eq!(second.oracle, third.oracle);
    // On each backbone: features of the test and of the draw, zero-shot and training; and a module
    // that moves for each upgrade.
    assert_eq!(plan.graph.units.len(), 3 * 4 + 3, "{:?}", names(&plan));
}

#[test]
fn a_module_moves_through_its_file_even_to_its_own_backbone() {
    let inputs = inputs(&["s"]);
    let plan = plan(&inputs);
    let cell = &plan.cells[0];
    let new = cell.new.clone().unwrap();
    assert_ne!(Ok(new), cell.base);
    assert!(matches!(plan.graph[new].work, UnitWork::Inject { .. }));
}

#[test]
fn a_shifted_data_set_is_tested_with_modules_of_its_base() {
    let mut inputs = inputs(&["t"]);
    inputs.suite.datasets = vec![DatasetEntry::named("shifted")];
    inputs.datasets = vec![dataset("shifted", Some("d")), dataset("d", None)];
    let plan = plan(&inputs);
    let cell = &plan.cells[0];
    let name =
        |unit: &Result<UnitIndex, NotMeasured>| plan.graph[*unit.as_ref().unwrap()].name.as_str();
    assert_eq!(name(&cell.train), "train coop on s, d, 16 shots, seed 1");
    assert_eq!(name(&cell.base), "inject coop into s, shifted");
    assert_eq!(name(&cell.new), "inject coop into t, shifted");
    assert_eq!(
        name(cell.oracle.as_ref().unwrap()),
        "inject coop into t, shifted"
    );
    assert_ne!(cell.oracle.as_ref().unwrap(), &cell.new);
}

#[test]
fn another_shape_on_the_target_is_a_reason_and_costs_no_training_there() {
    let mut inputs = inputs(&["t"]);
    inputs.suite.oracle = false;
    let fits = fits_with(&inputs, &|backbone, _| match backbone {
        "s" => shaped(&[4, 512]),
        _ => shaped(&[4, 768]),
    });
    let plan = Plan::new(&inputs, &Selection::default(), &fits);
    let cell = &plan.cells[0];
    assert_eq!(
        cell.new,
        Err(NotMeasured::NotInjectable(
            "ctx is [4, 512] on s, t needs [4, 768]".to_owned()
        ))
    );
    assert!(cell.base.is_ok());
    assert!(!names(&plan).iter().any(|name| name.starts_with("inject")));
}

#[test]
fn a_class_bound_module_fits_where_its_classes_are() {
    let mut inputs = inputs(&["t"]);
    inputs.suite.datasets = vec![DatasetEntry::named("fewer"), DatasetEntry::named("foreign")];
    let ids = |ids: &[&str]| {
        Presence::Present(Contents {
            templates: Vec::new(),
            class_names: Vec::new(),
            class_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            sizes: [1, 1, 1],
            train_per_class: Vec::new(),
            missing: 0,
        })
    };
    inputs.datasets = vec![
        dataset("fewer", Some("d")),
        dataset("foreign", Some("d")),
        dataset("d", None),
    ];
    inputs.datasets[0].contents = ids(&["n3", "n1"]);
    inputs.datasets[1].contents = ids(&["n1", "n7"]);
    inputs.datasets[2].contents = ids(&["n1", "n2", "n3"]);
    let fits = fits_with(&inputs, &|_, dataset| {
        let classes = if dataset == "d" { 3 } else { 2 };
        let UnitResult::Finished { output, usage } = shaped(&[classes, 4, 8]) else {
            panic!("a survey");
        };
        let mut output = Arc::unwrap_or_clone(output);
        if let JobOutput::Surveyed { class_axes, .. } = &mut output {
            class_axes.insert("ctx".to_owned(), 0);
        }
        UnitResult::Finished {
            output: Arc::new(output),
            usage,
        }
    });
    let plan = Plan::new(&inputs, &Selection::default(), &fits);
    assert!(plan.cells[0].new.is_ok(), "{:?}", plan.cells[0].new);
    assert_eq!(
        plan.cells[1].new,
        Err(NotMeasured::NotInjectable(
            "ctx is bound to the 3 classes of d; of the classes of foreign it lacks n7".to_owned()
        ))
    );
}

#[test]
fn a_survey_that_says_no_or_fails_is_told_apart() {
    let inputs = inputs(&["t", "u"]);
    let crash = UnitResult::Crashed {
        message: "gone".to_owned(),
        log: String::new(),
    };
    let fits = fits_with(&inputs, &|backbone, _| match backbone {
        "s" => shaped(&[4]),
        "t" => UnitResult::NotInjectable {
            reason: "needs text width 512, target has 768".to_owned(),
        },
        _ => crash.clone(),
    });
    let plan = Plan::new(&inputs, &Selection::default(), &fits);
    let reasons: Vec<_> = plan
        .cells
        .iter()
        .map(|cell| cell.new.clone().unwrap_err())
        .collect();
    assert_eq!(
        reasons,
        [
            NotMeasured::NotInjectable("needs text width 512, target has 768".to_owned()),
            NotMeasured::SurveyFailed(crash)
        ]
    );
    assert!(plan.cells.iter().all(|cell| cell.base.is_ok()));
}

#[test]
fn a_selection_leaves_the_rest_out() {
    let mut inputs = inputs(&["t", "u"]);
    inputs.suite.seeds = vec![1, 2].into();
    let fits = fits_with(&inputs, &|_, _| shaped(&[4]));
    let count = |terms: &[&str]| {
        let terms = terms.iter().map(|term| term.parse::<Term>().unwrap());
        let selection = terms.collect();
        Plan::new(&inputs, &selection, &fits).cells.len()
    };
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["target=t"]), 2);
    assert_eq!(count(&["target=t", "seed=2"]), 1);
    assert_eq!(count(&["method=other"]), 0);
}

#[test]
fn each_training_is_planned_on_each_split_whose_features_are_shared() {
    let mut inputs = inputs(&["t"]);
    inputs.suite.oracle = false;
    inputs.suite.seeds = SuiteSeeds::Crossed(SplitsAndTrainings {
        split: vec![1, 2],
        training: vec![1, 2],
    });
    let names = |inputs: &Inputs| {
        let units = plan(inputs).graph.units;
        let features = units.iter().filter(|unit| unit.name.contains("shots"));
        features.map(|unit| unit.name.clone()).collect::<Vec<_>>()
    };
    let found = names(&inputs);
    assert_eq!(plan(&inputs).cells.len(), 4);
    let trained = found.iter().filter(|name| name.starts_with("train"));
    assert_eq!(trained.count(), 4, "{found:?}");
    assert_eq!(found.len(), 4 + 2, "features once a split: {found:?}");
    let one = "train coop on s, d, 16 shots, seed 2/1".to_owned();
    assert!(found.contains(&one), "{found:?}");
    // The views of a training are its own.
    inputs.suite.images.augment = Augment::Flip;
    assert_eq!(names(&inputs).len(), 4 + 4);
}

#[test]
fn cells_that_wait_for_files_are_planned_apart() {
    let mut inputs = inputs(&["t", "u"]);
    for facts in &mut inputs.backbones[1..] {
        facts.reference.files = Presence::Absent;
        inputs.absent.push(Absent {
            kind: InputKind::Backbone,
            name: facts.reference.name.clone(),
            advice: String::new(),
            files: Vec::new(),
            request: None,
        });
    }
    let ready = plan(&inputs);
    assert!(ready.cells.is_empty());
    let all = ready.with_waiting(&inputs, &Selection::default());
    assert_eq!(all.cells.len(), 2);
    let of_kind = |kind: &str| {
        let names = names(&all).into_iter();
        names.filter(|name| name.starts_with(kind)).count()
    };
    assert_eq!(
        (of_kind("zero-shot"), of_kind("train"), of_kind("inject")),
        (3, 3, 2)
    );
}

#[test]
fn names_paths_and_limits_are_no_part_of_a_key() {
    let original = keys(&inputs(&["t"]));
    let mut other = inputs(&["t"]);
    other.suite.name = "other".to_owned();
    other.suite.time_limit = 1;
    other.methods[0].label = "other".to_owned();
    other.methods[0].method.plugin = PluginRef::library("elsewhere/coop.so".into());
    other.suite.upgrades[0] = Upgrade::to_targets("s", vec!["renamed".to_owned()]);
    other.backbones[1].reference.name = "renamed".to_owned();
    for backbone in &mut other.backbones {
        let sha256 = backbone.reference.files().unwrap().sha256.clone();
        backbone.reference.files = Presence::Present(BackboneFiles {
            path: "elsewhere".into(),
            sha256,
            image_size: None,
        });
    }
    let files = other.datasets[0].reference.files().unwrap().clone();
    other.datasets[0].reference.files = Presence::Present(DatasetFiles {
        path: "elsewhere".into(),
        ..files
    });
    assert_eq!(keys(&other), original);
}

/// One value for each input that can change a result.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    version: u8,
    executable: u8,
    plugin: u8,
    id: u8,
    config: u8,
    recipe: u8,
    shots: u32,
    split: u64,
    training: u64,
    source: u8,
    target: u8,
    dataset: u8,
}

impl Choice {
    fn inputs(&self) -> Inputs {
        let mut inputs = inputs(&["t"]);
        inputs.engine.version = self.version.to_string();
        inputs.engine.sha256 = self.executable.to_string();
        let method = &mut inputs.methods[0];
        method.method.plugin_sha256 = self.plugin.to_string();
        method.method.id = format!("m{}", self.id);
        method.method.config = json!({ "length": self.config });
        method.recipe.epochs = Some(self.recipe.into());
        inputs.suite.shots = vec![self.shots];
        inputs.suite.seeds = SuiteSeeds::Crossed(SplitsAndTrainings {
            split: vec![self.split],
            training: vec![self.training],
        });
        for (facts, sha256) in inputs
            .backbones
            .iter_mut()
            .zip([format!("s{}", self.source), format!("t{}", self.target)])
        {
            facts.reference.files = Presence::Present(BackboneFiles {
                path: "here".into(),
                sha256,
                image_size: None,
            });
        }
        let files = inputs.datasets[0].reference.files().unwrap().clone();
        inputs.datasets[0].reference.files = Presence::Present(DatasetFiles {
            manifest_sha256: self.dataset.to_string(),
            ..files
        });
        inputs
    }

    fn new_key(&self) -> Key {
        let plan = plan(&self.inputs());
        plan.graph[plan.cells[0].new.clone().unwrap()].key.clone()
    }
}

fn choice() -> impl Strategy<Value = Choice> {
    let code = (0..2u8, 0..2u8, 0..2u8);
    let method = (0..2u8, 0..2u8, 0..2u8);
    let draw = (1..3u32, 0..2u64, 0..2u64);
    (code, method, draw, (0..2u8, 0..2u8, 0..2u8)).prop_map(|(code, method, draw, data)| Choice {
        version: code.0,
        executable: code.1,
        plugin: code.2,
        id: method.0,
        config: method.1,
        recipe: method.2,
        shots: draw.0,
        split: draw.1,
        training: draw.2,
        source: data.0,
        target: data.1,
        dataset: data.2,
    })
}

proptest! {
    #[test]
    fn the_key_of_new_changes_if_and_only_if_an_input_does(a in choice(), b in choice()) {
        prop_assert_eq!(a.new_key() == b.new_key(), a == b);
    }

    // Two random choices differ in several places; here they differ in one.
    #[test]
    fn no_single_input_is_forgotten(a in choice(), which in 0..12usize) {
        let mut b = a.clone();
        match which {
            0 => b.version ^= 1,
            1 => b.executable ^= 1,
            2 => b.plugin ^= 1,
            3 => b.id ^= 1,
            4 => b.config ^= 1,
            5 => b.recipe ^= 1,
            6 => b.shots += 1,
            7 => b.split ^= 1,
            8 => b.training ^= 1,
            9 => b.source ^= 1,
            10 => b.target ^= 1,
            _ => b.dataset ^= 1,
        }
        prop_assert_ne!(a.new_key(), b.new_key());
        prop_assert_eq!(a.new_key(), a.clone().new_key());
    }
}
