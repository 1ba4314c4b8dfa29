//! Builds the report from the results of the units.

use std::time::Instant;

use harness_abi::wire::Family;
use harness_data::Sampler;
use harness_report::{
    Backbone, Cell, Chain, Conditions, Dataset, GateRule, Labels, Method, MethodRecipe, Plugin,
    Provenance, Report, Retraining, Status, Suite, Training, Upgrade, Usage,
    selection::Selection,
    shell::{quote, quote_path},
};

use serde::Serialize;
use serde_json::{Value, json};

use super::error::RunError;
use super::results::Results;
use super::setup::{SetUp, Settings};
use super::{drift, machine, score, status};
use crate::device::DevicePlacement;
use crate::job::{Evaluation, JobOutput, TrainedModule};
use crate::plan::{
    BackboneIndex, CellPlan, DatasetIndex, Inputs, MethodIndex, MethodInput, UnitIndex,
};
use crate::plugin_ref::file_name;
use crate::side_files::without_texts;
use crate::suite::RecipeBase;
use harness_store::sha256_hex;

pub(crate) fn assemble(
    settings: &Settings<'_>,
    setup: &SetUp<'_>,
    results: &Results,
    (started, clock): (String, Instant),
) -> Result<Report, RunError> {
    let inputs = &setup.inputs;
    let cells = setup.plan.cells.iter();
    let mut report = Report {
        schema: Report::FORMAT.to_owned(),
        digest: None,
        suite: Suite {
            name: inputs.suite.name.clone(),
            path: settings.suite.display().to_string(),
            sha256: sha256_hex(setup.document.text().as_bytes()),
            gate: inputs.suite.gate.map(|gate| GateRule {
                margin: gate.margin,
                alpha: gate.alpha,
            }),
        },
        provenance: Provenance {
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            abi: format!("{}.{}", harness_abi::ABI_MAJOR, harness_abi::ABI_MINOR),
            rustc: harness_abi::RUSTC_VERSION.to_owned(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: machine::cpu(),
            device: setup.placement.as_ref().map(DevicePlacement::report),
            threads_per_worker: 1,
            jobs: u32::try_from(setup.pool.jobs).unwrap_or(u32::MAX),
            git: machine::git(),
            started,
            wall_seconds: clock.elapsed().as_secs_f64(),
            rerun: settings.command_line.clone(),
            tasks: Vec::new(),
        },
        images: Some(setup.inputs.suite.images.report()),
        backbones: backbones(inputs),
        plugins: plugins(setup),
        methods: methods(setup),
        datasets: datasets(setup, results),
        upgrades: upgrades(inputs),
        chains: inputs
            .suite
            .chains()
            .map(|backbones| Chain {
                backbones: backbones.to_vec(),
            })
            .collect(),
        text_drift: drift::text_drift(setup, results),
        input_notes: setup.notes.clone(),
        cells: cells
            .map(|plan| cell(settings, inputs, plan, results))
            .collect(),
    };
    report.sort_cells();
    Ok(report)
}

fn backbones(inputs: &Inputs) -> Vec<Backbone> {
    let facts = inputs.backbones.iter();
    facts
        .map(|facts| {
            let known = facts.architecture.present();
            let files = facts.reference.files.present();
            Backbone {
                name: facts.reference.name.clone(),
                sha256: files.map_or_else(String::new, |files| files.sha256.clone()),
                dims: known.map_or_else(Default::default, |known| serde_json::json!(known.dims)),
                layout: known.map_or_else(String::new, |known| known.layout.clone()),
            }
        })
        .collect()
}

fn plugins(setup: &SetUp<'_>) -> Vec<Plugin> {
    let methods = &setup.inputs.methods;
    let used = setup.registry.plugins.iter().filter(|plugin| {
        let mut used = methods.iter().map(|input| &input.method.plugin_sha256);
        used.any(|sha256| *sha256 == plugin.sha256)
    });
    used.map(|plugin| {
        let info = &plugin.descriptor.plugin;
        Plugin {
            file: file_name(&plugin.path),
            sha256: plugin.sha256.clone(),
            version: info.version.clone(),
            sdk: info.sdk.clone(),
            rustc: info.rustc.clone(),
            licence: info.license.clone(),
        }
    })
    .collect()
}

fn methods(setup: &SetUp<'_>) -> Vec<Method> {
    let inputs = setup.inputs.methods.iter().enumerate();
    inputs
        .map(|(index, input)| Method {
            label: input.label.clone(),
            id: input.method.id.clone(),
            plugin: file_name(input.method.plugin.file()),
            config: without_texts(&input.method.config, &input.card.config_schema),
            module_sha256: input.module.as_ref().map(|file| file.sha256.clone()),
            module_sources: module_sources(&setup.inputs, input),
            recipe: input.module.is_none().then(|| MethodRecipe {
                base: match input.base {
                    RecipeBase::Own => "own".to_owned(),
                    RecipeBase::Common => "common".to_owned(),
                },
                changes: recipe_json(&input.changes),
            }),
            family: family_name(input.card.family).to_owned(),
            depth: input.card.depth.clone(),
            parameters: setup.fits.parameters(MethodIndex(index)),
        })
        .collect()
}

/// The backbones of the suite that a row's module file was trained on.
fn module_sources(inputs: &Inputs, row: &MethodInput) -> Vec<String> {
    let name = |index: &BackboneIndex| inputs[*index].reference.name.clone();
    match (&row.home, &row.module) {
        (Some(home), _) => home.sources.iter().map(name).collect(),
        (None, Some(file)) => vec![file.header.source.clone()],
        (None, None) => Vec::new(),
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Input => "input",
        Family::Deep => "deep",
        Family::Weights => "weights",
        Family::Features => "features",
    }
}

/// A recipe as the report holds it: JSON, so that reports of other versions can be read.
fn recipe_json(recipe: &impl Serialize) -> Value {
    serde_json::to_value(recipe).expect("numbers and names always serialise")
}

fn datasets(setup: &SetUp<'_>, results: &Results) -> Vec<Dataset> {
    let inputs = &setup.inputs;
    // Data sets that modules are only trained on are not columns.
    let columns = inputs
        .datasets
        .iter()
        .take(inputs.suite.datasets.len() + inputs.brought);
    columns
        .enumerate()
        .map(|(index, facts)| {
            let files = facts.reference.files.present();
            let known = facts.contents.present();
            let class_names = known.map_or_else(Vec::new, |known| known.class_names.clone());
            let [train, val, test] = known.map_or([0; 3], |known| known.sizes);
            Dataset {
                name: facts.reference.name.clone(),
                title: facts.title.clone(),
                manifest_sha256: files
                    .map_or_else(String::new, |files| files.manifest_sha256.clone()),
                classes: class_names.len() as u64,
                train: train as u64,
                val: val as u64,
                test: test as u64,
                class_names,
                test_labels: test_labels(setup, results, DatasetIndex(index)),
                shift_of: facts.shift_of.clone(),
                missing: known.map_or(0, |known| known.missing) as u64,
            }
        })
        .collect()
}

/// The labels of a data set's test images, from any evaluation on them.
fn test_labels(setup: &SetUp<'_>, results: &Results, dataset: DatasetIndex) -> Option<Labels> {
    let cells = setup.plan.cells.iter();
    let mut units = cells
        .filter(|cell| cell.dataset == dataset)
        .flat_map(CellPlan::evaluations);
    let found = units.find_map(|unit| results.evaluation(unit))?;
    Some(found.labels.clone().into())
}

fn upgrades(inputs: &Inputs) -> Vec<Upgrade> {
    let pairs = inputs.suite.pairs().into_iter();
    pairs
        .map(|pair| Upgrade {
            source: pair.source.to_owned(),
            target: pair.target.to_owned(),
        })
        .collect()
}

fn cell(settings: &Settings<'_>, inputs: &Inputs, plan: &CellPlan, results: &Results) -> Cell {
    let mut status = status::of_cell(plan, results);
    // Not measured where there is no unit, or the unit did not finish; `status` says why.
    let evaluated = |unit: Option<UnitIndex>| unit.and_then(|unit| results.evaluation(unit));
    let output = |unit: Option<UnitIndex>| unit.and_then(|unit| results.output(unit));
    let mut condition = |evaluation: Option<&Evaluation>| match score::condition(evaluation?) {
        Ok(condition) => Some(condition),
        Err(error) => {
            status = Status::Failed {
                message: error.to_string(),
            };
            None
        }
    };
    let unit = |unit: &Result<UnitIndex, _>| unit.as_ref().ok().copied();
    let base = evaluated(unit(&plan.base));
    let new = evaluated(unit(&plan.new));
    let conditions = Conditions {
        zero_source: condition(evaluated(Some(plan.zero_source))),
        base: condition(base),
        zero_target: condition(evaluated(Some(plan.zero_target))),
        new: condition(new),
        oracle: condition(evaluated(plan.oracle.as_ref().and_then(unit))),
    };
    let changes = match (base, new) {
        (Some(base), Some(new)) => score::changes(base, new),
        _ => None,
    };
    let trained = output(unit(&plan.train));
    let injected = output(unit(&plan.new));
    let retrained = output(plan.retrain.as_ref().and_then(unit));
    let training = training(trained, injected, plan.draw.sampler);
    if let Some(message) = changed(trained, injected) {
        status = Status::Failed { message };
    }
    let upgrade = Upgrade {
        source: inputs[plan.source].reference.name.clone(),
        target: inputs[plan.target].reference.name.clone(),
    };
    let mut cell = Cell {
        method: inputs[plan.method].label.clone(),
        dataset: inputs[plan.dataset].reference.name.clone(),
        shots: plan.draw.shots,
        seed: plan.draw.seeds,
        upgrade,
        status,
        conditions,
        training,
        retraining: retrained.and_then(retraining),
        left_out: plan.left_out.clone(),
        changes,
        usage: usage(plan, results),
        rerun: String::new(),
    };
    cell.rerun = rerun(settings, &cell);
    cell
}

fn training(
    trained: Option<&JobOutput>,
    injected: Option<&JobOutput>,
    sampler: Sampler,
) -> Option<Training> {
    let JobOutput::Trained(trained) = trained? else {
        return None;
    };
    let TrainedModule {
        module_sha256,
        module_bytes,
        parameters_sha256,
        parameters,
        steps,
        train_seconds,
        final_loss,
        losses,
        text,
        recipe,
        picks_sha256,
        ..
    } = trained.as_ref();
    let injected = injected.and_then(hashes);
    Some(Training {
        steps: *steps,
        seconds: *train_seconds,
        parameters: *parameters,
        module_bytes: *module_bytes,
        module_sha256: module_sha256.clone(),
        parameters_sha256_before: parameters_sha256.clone(),
        parameters_sha256_after: injected.map(|(_, after)| after.clone()),
        final_loss: *final_loss,
        losses: losses.clone(),
        text: *text,
        recipe: recipe.as_ref().map_or_else(|| json!({}), recipe_json),
        picks_sha256: picks_sha256.clone(),
        sampler: Some(sampler.to_string()),
    })
}

fn retraining(retrained: &JobOutput) -> Option<Retraining> {
    match retrained {
        JobOutput::Trained(trained) => Some(Retraining {
            steps: trained.steps,
            seconds: trained.train_seconds,
        }),
        _ => None,
    }
}

/// Hashes over the carried tensors before and after an injection.
fn hashes(output: &JobOutput) -> Option<(&String, &String)> {
    match output {
        JobOutput::Injected {
            parameters_sha256_before,
            parameters_sha256_after,
            ..
        } => Some((parameters_sha256_before, parameters_sha256_after)),
        _ => None,
    }
}

/// A message if what was injected is not what was trained.
fn changed(trained: Option<&JobOutput>, injected: Option<&JobOutput>) -> Option<String> {
    let (was, when) = match trained? {
        JobOutput::Trained(trained) => (&trained.parameters_sha256, "after training"),
        // Trained elsewhere: the source's injection read the file first.
        other => (hashes(other)?.0, "in its file"),
    };
    let (before, after) = injected.and_then(hashes)?;
    (was != before || before != after).then(|| {
        format!(
            "the module did not stay the same: the hash of its parameters was {was} {when}, {before} before and {after} after the injection"
        )
    })
}

/// What the cell's own trainings and injections used, shared ones included.
fn usage(plan: &CellPlan, results: &Results) -> Option<Usage> {
    let mut units: Vec<UnitIndex> = plan
        .units()
        .filter(|unit| *unit != plan.zero_source && *unit != plan.zero_target)
        .collect();
    units.sort_unstable();
    units.dedup();
    let used = units.into_iter().filter_map(|unit| results.usage(unit));
    used.fold(None, |sum: Option<Usage>, usage| {
        let sum = sum.unwrap_or_default();
        Some(Usage {
            wall_seconds: sum.wall_seconds + usage.wall_seconds,
            cpu_seconds: sum.cpu_seconds + usage.cpu_seconds,
            peak_mib: sum.peak_mib.max(usage.peak_mib),
        })
    })
}

/// The command line that runs this cell alone.
fn rerun(settings: &Settings<'_>, cell: &Cell) -> String {
    if settings.text.is_some() {
        // There is no suite file that `run` could be given.
        let words = settings.command_line.iter().map(|word| quote(word));
        return words.collect::<Vec<_>>().join(" ");
    }
    let python = settings.python.iter();
    let python: String = python
        .map(|path| format!(" --python {}", quote(path)))
        .collect();
    format!(
        "harness run {}{}{python}{} --fresh",
        quote_path(&settings.suite),
        settings.other_methods.arguments(),
        Selection::of(&cell.into()).arguments()
    )
}
