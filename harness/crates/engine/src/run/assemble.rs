//! From the results of units to a report.

use std::collections::HashMap;
use std::time::Instant;

use harness_data::Sampler;
use harness_report::{
    Backbone, Cell, Conditions, Dataset, GateRule, Labels, Method, MethodRecipe, Plugin,
    Provenance, Report, Retraining, Status, Suite, Training, Upgrade, Usage, shell::quote,
};

use serde::Serialize;
use serde_json::{Value, json};

use super::error::RunError;
use super::setup::{SetUp, Settings};
use super::{drift, machine, score, status};
use crate::job::{Evaluation, Output};
use crate::plan::{CellPlan, Inputs};
use crate::registry::file_name;
use crate::schedule::TaskResult;
use crate::suite::RecipeBase;
use harness_store::sha256_hex;

pub(super) type Results = HashMap<usize, TaskResult>;

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
            threads_per_worker: 1,
            jobs: u32::try_from(setup.pool.jobs).unwrap_or(u32::MAX),
            git: machine::git(),
            started,
            wall_seconds: clock.elapsed().as_secs_f64(),
            rerun: settings.command_line.clone(),
        },
        images: Some(setup.inputs.suite.images.report()),
        backbones: backbones(inputs),
        plugins: plugins(setup),
        methods: methods(setup),
        datasets: datasets(setup, results),
        upgrades: upgrades(inputs),
        text_drift: drift::text_drift(setup, results),
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
            Backbone {
                name: facts.reference.name.clone(),
                sha256: facts.reference.sha256.clone(),
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
        .filter_map(|(index, input)| {
            let (plugin, card) = setup.registry.method(&input.method.id)?;
            let family = serde_json::to_value(card.family).ok()?;
            Some(Method {
                label: input.label.clone(),
                id: input.method.id.clone(),
                plugin: file_name(&plugin.path),
                config: input.method.config.clone(),
                module_sha256: input.module.as_ref().map(|file| file.sha256.clone()),
                recipe: input.module.is_none().then(|| MethodRecipe {
                    base: match input.base {
                        RecipeBase::Own => "own".to_owned(),
                        RecipeBase::Common => "common".to_owned(),
                    },
                    changes: recipe_json(&input.changes),
                }),
                family: family.as_str().unwrap_or_default().to_owned(),
                depth: card.depth.clone(),
                parameters: setup.fits.parameters(index),
            })
        })
        .collect()
}

/// A recipe as the report holds it: JSON, so that reports of other versions can be read.
fn recipe_json(recipe: &impl Serialize) -> Value {
    serde_json::to_value(recipe).expect("numbers and names always serialise")
}

fn datasets(setup: &SetUp<'_>, results: &Results) -> Vec<Dataset> {
    let inputs = &setup.inputs;
    // Data sets that modules are only trained on are no columns.
    let columns = inputs.datasets.iter().take(inputs.suite.datasets.len());
    columns
        .enumerate()
        .map(|(index, facts)| Dataset {
            name: facts.reference.name.clone(),
            title: facts.title.clone(),
            manifest_sha256: facts.reference.manifest_sha256.clone(),
            classes: facts.class_names.len() as u64,
            train: facts.sizes[0] as u64,
            val: facts.sizes[1] as u64,
            test: facts.sizes[2] as u64,
            class_names: facts.class_names.clone(),
            test_labels: test_labels(setup, results, index),
            shift_of: facts.shift_of.clone(),
            missing: facts.missing as u64,
        })
        .collect()
}

/// The labels of a data set's test images, from any evaluation on them.
fn test_labels(setup: &SetUp<'_>, results: &Results, dataset: usize) -> Option<Labels> {
    let cells = setup
        .plan
        .cells
        .iter()
        .filter(|cell| cell.dataset == dataset);
    let mut evaluations = cells
        .flat_map(CellPlan::evaluations)
        .filter_map(|unit| evaluation(output(results, unit)?));
    evaluations.next().map(|found| found.labels.clone().into())
}

fn upgrades(inputs: &Inputs) -> Vec<Upgrade> {
    let upgrades = inputs.suite.upgrades.iter();
    upgrades
        .flat_map(|upgrade| {
            upgrade.targets.iter().map(|target| Upgrade {
                source: upgrade.source.clone(),
                target: target.clone(),
            })
        })
        .collect()
}

fn cell(settings: &Settings<'_>, inputs: &Inputs, plan: &CellPlan, results: &Results) -> Cell {
    let mut status = status::of_cell(plan, results);
    let output = |unit: usize| self::output(results, unit);
    let mut condition = |unit: Option<usize>| {
        let evaluation = output(unit?).and_then(evaluation)?;
        score::condition(evaluation)
            .map_err(|error| {
                status = Status::Failed {
                    message: error.to_string(),
                }
            })
            .ok()
    };
    let unit = |unit: &Result<usize, _>| unit.as_ref().ok().copied();
    let conditions = Conditions {
        zero_source: condition(Some(plan.zero_source)),
        base: condition(unit(&plan.base)),
        zero_target: condition(Some(plan.zero_target)),
        new: condition(unit(&plan.new)),
        oracle: condition(plan.oracle.as_ref().and_then(unit)),
    };
    let evaluated = |unit: Option<usize>| output(unit?).and_then(evaluation);
    let changes = match (evaluated(unit(&plan.base)), evaluated(unit(&plan.new))) {
        (Some(base), Some(new)) => score::changes(base, new),
        _ => None,
    };
    let trained = unit(&plan.train).and_then(output);
    let injected = unit(&plan.new).and_then(output);
    let retrained = plan.retrain.as_ref().and_then(unit).and_then(output);
    let training = training(trained, injected, plan.draw.sampler);
    if let Some(message) = changed(trained, injected) {
        status = Status::Failed { message };
    }
    let upgrade = Upgrade {
        source: inputs.backbones[plan.source].reference.name.clone(),
        target: inputs.backbones[plan.target].reference.name.clone(),
    };
    let mut cell = Cell {
        method: inputs.methods[plan.method].label.clone(),
        dataset: inputs.datasets[plan.dataset].reference.name.clone(),
        shots: plan.draw.shots,
        seed: plan.draw.seed,
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

pub(super) fn output(results: &Results, unit: usize) -> Option<&Output> {
    match results.get(&unit) {
        Some(TaskResult::Finished { output, .. }) => Some(output.as_ref()),
        _ => None,
    }
}

pub(super) fn evaluation(output: &Output) -> Option<&Evaluation> {
    match output {
        Output::ZeroShot { evaluation, .. }
        | Output::Trained { evaluation, .. }
        | Output::Injected { evaluation, .. } => Some(evaluation),
        _ => None,
    }
}

fn training(
    trained: Option<&Output>,
    injected: Option<&Output>,
    sampler: Sampler,
) -> Option<Training> {
    let Output::Trained {
        module_sha256,
        module_bytes,
        parameters_sha256,
        parameters,
        steps,
        train_seconds,
        final_loss,
        recipe,
        picks_sha256,
        ..
    } = trained?
    else {
        return None;
    };
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
        recipe: recipe.as_ref().map_or_else(|| json!({}), recipe_json),
        picks_sha256: picks_sha256.clone(),
        sampler: Some(sampler.to_string()),
    })
}

fn retraining(retrained: &Output) -> Option<Retraining> {
    match retrained {
        Output::Trained {
            steps,
            train_seconds,
            ..
        } => Some(Retraining {
            steps: *steps,
            seconds: *train_seconds,
        }),
        _ => None,
    }
}

/// Hashes over the carried tensors before and after an injection.
fn hashes(output: &Output) -> Option<(&String, &String)> {
    match output {
        Output::Injected {
            parameters_sha256_before,
            parameters_sha256_after,
            ..
        } => Some((parameters_sha256_before, parameters_sha256_after)),
        _ => None,
    }
}

/// That what was injected is not what was trained, in words.
fn changed(trained: Option<&Output>, injected: Option<&Output>) -> Option<String> {
    let (was, when) = match trained? {
        Output::Trained {
            parameters_sha256, ..
        } => (parameters_sha256, "after training"),
        // Trained elsewhere: the source's injection read the file first.
        other => (hashes(other)?.0, "in its file"),
    };
    let (before, after) = injected.and_then(hashes)?;
    (was != before || before != after).then(|| {
        format!(
            "the module did not stay the same: its parameters hash was {was} {when}, {before} before and {after} after the injection"
        )
    })
}

/// What the cell's own trainings and injections used, shared ones included.
fn usage(plan: &CellPlan, results: &Results) -> Option<Usage> {
    let mut units: Vec<usize> = plan
        .units()
        .filter(|unit| *unit != plan.zero_source && *unit != plan.zero_target)
        .collect();
    units.sort_unstable();
    units.dedup();
    let used = units.iter().filter_map(|unit| match results.get(unit) {
        Some(TaskResult::Finished { usage, .. }) => Some(usage),
        _ => None,
    });
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
    let mut words = vec![
        "harness".to_owned(),
        "run".to_owned(),
        settings.suite.display().to_string(),
    ];
    for (key, value) in [
        ("method", cell.method.clone()),
        ("dataset", cell.dataset.clone()),
        ("source", cell.upgrade.source.clone()),
        ("target", cell.upgrade.target.clone()),
        ("shots", cell.shots.to_string()),
        ("seed", cell.seed.to_string()),
    ] {
        words.push("--only".to_owned());
        words.push(format!("{key}={value}"));
    }
    words.push("--fresh".to_owned());
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}
