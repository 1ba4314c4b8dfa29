//! The kinds of work, one function each.

use std::{io, path::Path};

use harness_abi::wire::{ParameterShape, Role, Setting};
use harness_backbone::Architecture;
use harness_data::Summary;
use harness_host::{
    boundary::{backbone_facts, setting, task_facts},
    plugin::PluginError,
};

use super::{
    channel::Channel,
    check::check,
    compare::compare,
    context::{JobContext, classes},
    error::JobError,
    predict::predict,
    state::WorkerState,
    trial::trial,
};
use crate::job::{
    BackboneRef, DatasetRef, Declaration, Job, JobOutput, MethodRef, PluginRef, UnitWork, Work,
};

/// Does one job.
pub(super) fn run(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
) -> Result<JobOutput, JobError> {
    match &job.work {
        Work::Inspect { plugin } => inspect(state, plugin),
        Work::Declare { plugin, setting } => declare(state, plugin, setting),
        Work::Predict(wanted) => predict(state, job, channel, wanted),
        Work::Check(wanted) => check(state, job, channel, wanted),
        Work::Try(wanted) => trial(state, job, channel, wanted),
        Work::Compare(wanted) => compare(state, job, channel, wanted),
        Work::Unit { work, module } => unit(state, job, channel, work, module.as_deref()),
    }
}

fn unit(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    work: &UnitWork,
    module: Option<&Path>,
) -> Result<JobOutput, JobError> {
    let module = || {
        let missing = || JobError::Failed("the job does not name a module file".to_owned());
        module.ok_or_else(missing)
    };
    match work {
        UnitWork::Survey {
            method,
            backbone,
            dataset,
        } => survey(state, method, backbone, dataset),
        UnitWork::Features {
            backbone,
            dataset,
            portion,
            images,
        } => {
            let context = JobContext::open(state, job, channel, (backbone, dataset), *images)?;
            context.fill_features(*portion)
        }
        UnitWork::ZeroShot {
            backbone,
            dataset,
            images,
        } => {
            let context = JobContext::open(state, job, channel, (backbone, dataset), *images)?;
            context.zero_shot()
        }
        UnitWork::Train {
            method,
            backbone,
            dataset,
            draw,
            images,
            recipe,
        } => {
            let context = JobContext::open(state, job, channel, (backbone, dataset), *images)?;
            if images.views > 1 {
                reads_views(state, &method.plugin)?;
            }
            let handle = state.method(method)?;
            context.train((method, &handle), *draw, recipe, module()?)
        }
        UnitWork::Inject {
            method,
            backbone,
            dataset,
            images,
            module: _,
        } => {
            let context = JobContext::open(state, job, channel, (backbone, dataset), *images)?;
            context.inject(&state.method(method)?, module()?)
        }
    }
}

fn inspect(state: &mut WorkerState, plugin: &PluginRef) -> Result<JobOutput, JobError> {
    let descriptor = state.plugin(plugin)?.descriptor();
    let descriptor = serde_json::to_value(descriptor).map_err(io::Error::other)?;
    Ok(JobOutput::Inspected { descriptor })
}

fn declare(
    state: &mut WorkerState,
    plugin: &PluginRef,
    setting: &Setting,
) -> Result<JobOutput, JobError> {
    let plugin = state.plugin(plugin)?;
    let mut methods = std::collections::BTreeMap::new();
    for card in &plugin.descriptor().methods {
        let method = plugin.open(&card.id, &serde_json::json!({}))?;
        let declaration = match method.survey(setting) {
            Ok(survey) => Declaration::Parameters(survey.parameters),
            Err(PluginError::NotInjectable(reason)) => Declaration::NotInjectable(reason),
            Err(other) => return Err(other.into()),
        };
        methods.insert(card.id.clone(), declaration);
    }
    Ok(JobOutput::Declared { methods })
}

/// Needs no weights: the header's dimensions and the list of classes are enough.
fn survey(
    state: &mut WorkerState,
    method: &MethodRef,
    backbone: &BackboneRef,
    dataset: &DatasetRef,
) -> Result<JobOutput, JobError> {
    let files = backbone.files()?;
    let dims = Architecture::at(&files.path, files.image_size)?.dims;
    let files = dataset.files()?;
    let summary = Summary::read(&files.path, &files.opening)?;
    let facts = backbone_facts(&backbone.name, &dims);
    let task = task_facts(&dataset.name, classes(&summary.classes), &summary.templates);
    let survey = state
        .method(method)?
        .survey(&setting(facts, Role::Target, task))?;
    let bound = survey.parameters.iter();
    let class_axes = bound
        .filter_map(|p| Some((p.name.clone(), p.class_axis?)))
        .collect();
    let optional = survey.parameters.iter().filter(|p| p.optional);
    let optional = optional.map(|p| p.name.clone()).collect();
    let trained = survey.parameters.iter().filter(|p| !p.fixed);
    let count = |p: &ParameterShape| p.shape.iter().product::<usize>() as u64;
    let parameters = trained.map(count).sum();
    let shapes = survey.parameters.into_iter().map(|p| (p.name, p.shape));
    Ok(JobOutput::Surveyed {
        parameters,
        shapes: shapes.collect(),
        class_axes,
        optional,
        recipe: survey.recipe,
    })
}

/// A plugin of the first ABI would train on one view and the report speak of several.
fn reads_views(state: &mut WorkerState, plugin: &PluginRef) -> Result<(), JobError> {
    let abi = &state.plugin(plugin)?.descriptor().plugin.abi;
    if abi != "1.0" {
        return Ok(());
    }
    Err(JobError::Failed(format!(
        "{} was built for ABI {abi}, which supports only one view of an image; rebuild it with a newer SDK, or set `views: 1`",
        plugin.file().display()
    )))
}
