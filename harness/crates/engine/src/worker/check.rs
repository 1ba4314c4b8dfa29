//! Checks of a method on real backbones. Each job trains what it needs anew: checks share
//! nothing, so that a plugin cannot pass one because of another.

use harness_abi::wire::{RecipeChanges, Role, Site, Split, TrainJob, differing_sites};
use harness_backbone::Architecture;
use harness_data::Sampler;
use harness_host::{
    boundary::{backbone_facts, setting},
    plugin::{MethodHandle, PluginError, TrainedModule},
};
use harness_report::Seeds;

use super::{channel::Channel, context::JobContext, error::JobError, state::WorkerState};
use crate::{
    images::ImageOptions,
    job::{CheckWork, Draw, Job, JobOutput, MethodCheck, MethodRef},
};

/// Training images of each class.
const SHOTS: u32 = 2;
/// Images of a step: few enough for hundreds of forward passes.
const BATCH: usize = 8;
/// Test images that are predicted.
const ROWS: u32 = 16;
/// A key that no configuration has.
const UNKNOWN_KEY: &str = "harness_check_unknown_key";

/// Does one check.
///
/// # Errors
/// What the check found.
pub(super) fn check(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    work: &CheckWork,
) -> Result<JobOutput, JobError> {
    let note = match work.check {
        MethodCheck::Configuration => configuration(state, &work.method)?,
        MethodCheck::Card => card(state, job, channel, work)?,
        _ => {
            let subject = Subject {
                method: state.method(&work.method)?,
                source: open(state, job, channel, work, Role::Source)?,
                target: open(state, job, channel, work, Role::Target)?,
            };
            subject.check(work)?
        }
    };
    Ok(JobOutput::Checked { note })
}

fn open<'a>(
    state: &mut WorkerState,
    job: &'a Job,
    channel: &'a Channel,
    work: &'a CheckWork,
    role: Role,
) -> Result<JobContext<'a>, JobError> {
    let backbone = match role {
        Role::Source => &work.source,
        Role::Target => &work.target,
    };
    let images = ImageOptions::default();
    JobContext::open(state, job, channel, (backbone, &work.dataset), images)
}

fn failed(message: String) -> JobError {
    JobError::Failed(message)
}

fn configuration(state: &mut WorkerState, method: &MethodRef) -> Result<Option<String>, JobError> {
    state.method(method)?;
    let mut unknown = method.clone();
    if let Some(config) = unknown.config.as_object_mut() {
        config.insert(UNKNOWN_KEY.to_owned(), 1.into());
    }
    match state.method(&unknown) {
        Ok(_) => Err(failed(format!(
            "an unknown key of the configuration is accepted (`{UNKNOWN_KEY}`); add #[serde(deny_unknown_fields)] to it"
        ))),
        Err(error) if error.to_string().contains(UNKNOWN_KEY) => Ok(None),
        Err(error) => Err(failed(format!(
            "an unknown key of the configuration is refused without its name: {error}"
        ))),
    }
}

/// Compares the names that the card states plainly; an entry in words stands for any tensors.
fn card(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    work: &CheckWork,
) -> Result<Option<String>, JobError> {
    let facts = open(state, job, channel, work, Role::Source)?.facts();
    let files = work.source.files()?;
    let dims = Architecture::at(&files.path, files.image_size)?.dims;
    let backbone = backbone_facts(&work.source.name, &dims);
    let survey = state
        .method(&work.method)?
        .survey(&setting(backbone, Role::Source, facts))?;
    let held: Vec<&str> = survey.parameters.iter().map(|p| p.name.as_str()).collect();
    let is_plain = |name: &&String| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
        name.chars().all(plain)
    };
    let absent = work.carried.iter().filter(is_plain);
    let absent = absent.filter(|name| !held.contains(&name.as_str()));
    let absent: Vec<&str> = absent.map(String::as_str).collect();
    if !absent.is_empty() {
        return Err(failed(format!(
            "the card's `carried` names {}, which `parameters` does not declare; it declares {}",
            absent.join(", "),
            held.join(", ")
        )));
    }
    if !work.carried.iter().all(|name| is_plain(&name)) {
        return Ok(None);
    }
    let unnamed = held
        .iter()
        .filter(|name| work.carried.iter().all(|c| c != *name));
    let unnamed: Vec<&str> = unnamed.copied().collect();
    match unnamed.is_empty() {
        true => Ok(None),
        false => Err(failed(format!(
            "`parameters` declares {}, which the card's `carried` does not name",
            unnamed.join(", ")
        ))),
    }
}

/// A method between two backbones.
struct Subject<'a> {
    method: MethodHandle,
    source: JobContext<'a>,
    target: JobContext<'a>,
}

impl Subject<'_> {
    fn check(&self, work: &CheckWork) -> Result<Option<String>, JobError> {
        match work.check {
            MethodCheck::Training => self.training(work.sites.as_deref()),
            MethodCheck::Determinism => self.determinism(),
            MethodCheck::SelfInjection => self.self_injection(),
            MethodCheck::Target => self.on_target(),
            MethodCheck::DamagedModules => self.damaged_modules(),
            MethodCheck::Rows => self.rows(),
            // These need no backbone's weights.
            MethodCheck::Configuration | MethodCheck::Card => Ok(None),
        }
    }

    fn train(&self, seed: u64) -> Result<Vec<u8>, JobError> {
        Ok(self.train_with(seed, false)?.0.module)
    }

    /// A training, and where it changed the towers.
    fn train_with(
        &self,
        seed: u64,
        check_gradients: bool,
    ) -> Result<(TrainedModule, Vec<Site>), JobError> {
        let draw = Draw {
            shots: SHOTS,
            seeds: Seeds::from(1),
            sampler: Sampler::default(),
        };
        let (bench, _) = self.source.training_bench(draw)?;
        let job = TrainJob {
            seed,
            recipe: RecipeChanges {
                epochs: Some(1),
                batch: Some(BATCH),
                ..RecipeChanges::default()
            },
            check_gradients,
        };
        let trained = self.method.train(bench.object(), &job)?;
        match bench.open_tapes() {
            0 => Ok((trained, bench.edited_sites())),
            tapes => Err(failed(format!("{tapes} tapes were not released"))),
        }
    }

    /// Logits of the first test images, and the module as the plugin gives it back.
    fn predict(
        &self,
        context: &JobContext<'_>,
        module: &[u8],
    ) -> Result<(Vec<f32>, Vec<u8>), JobError> {
        let (bench, _) = context.evaluation_bench()?;
        let predictor = self.method.inject(bench.object(), module)?;
        let rows: Vec<u32> = (0..ROWS.min(context.test_labels().len() as u32)).collect();
        let logits = predictor.logits(Split::Test, &rows, context.class_count())?;
        Ok((logits, predictor.module()?))
    }

    fn training(&self, sites: Option<&[Site]>) -> Result<Option<String>, JobError> {
        let (trained, edited) = self.train_with(1, true)?;
        if let Some(difference) = sites.and_then(|sites| differing_sites(sites, &edited)) {
            return Err(failed(difference));
        }
        let summary = trained.summary;
        Ok((!summary.checked_gradients).then(|| match summary.steps {
            0 => "no step was taken, so there are no gradients".to_owned(),
            _ => "gradients were not compared with the loss: it stops gradients on purpose, or \
                  the plugin's SDK is too old"
                .to_owned(),
        }))
    }

    fn determinism(&self) -> Result<Option<String>, JobError> {
        let first = self.train(1)?;
        if first != self.train(1)? {
            let message = "the same seed gave two modules; randomness must come from initialisation, batch order and dropout";
            return Err(failed(message.to_owned()));
        }
        // The header holds the seed, so tensors are compared.
        let other = self.train(2)?;
        Ok((tensors(&first) == tensors(&other))
            .then(|| "two seeds give the same tensors".to_owned()))
    }

    fn self_injection(&self) -> Result<Option<String>, JobError> {
        let module = self.train(1)?;
        let (first, after) = self.predict(&self.source, &module)?;
        let (second, _) = self.predict(&self.source, &after)?;
        if after != module {
            let message = "injecting changed the module; it must come back as it was";
            return Err(failed(message.to_owned()));
        }
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        match bits(&first) == bits(&second) {
            true => Ok(None),
            false => Err(failed(
                "the same module gave other logits the second time".to_owned(),
            )),
        }
    }

    fn on_target(&self) -> Result<Option<String>, JobError> {
        let module = self.train(1)?;
        match self.predict(&self.target, &module) {
            Ok((_, after)) if after != module => Err(failed(
                "injecting into another backbone changed the module".to_owned(),
            )),
            Ok(_) => Ok(None),
            Err(JobError::NotInjectable(reason) | JobError::NotOffered(reason)) => {
                Ok(Some(format!("not injectable: {reason}")))
            }
            Err(other) => Err(other),
        }
    }

    fn damaged_modules(&self) -> Result<Option<String>, JobError> {
        let module = self.train(1)?;
        let mut not_finite = module.clone();
        if let Some(last) = not_finite.last_chunk_mut::<4>() {
            *last = f32::NAN.to_le_bytes();
        }
        let cut = &module[..module.len().saturating_sub(3)];
        for (what, bytes) in [
            ("an empty", &[][..]),
            ("a truncated", cut),
            ("a non-finite", &not_finite),
        ] {
            let (bench, _) = self.source.evaluation_bench()?;
            refuses(
                &format!("{what} module"),
                self.method.inject(bench.object(), bytes),
            )?;
        }
        Ok(None)
    }

    fn rows(&self) -> Result<Option<String>, JobError> {
        let module = self.train(1)?;
        let (bench, _) = self.source.evaluation_bench()?;
        let predictor = self.method.inject(bench.object(), &module)?;
        let count = self.source.test_labels().len() as u32;
        for row in [count, u32::MAX] {
            let logits = predictor.logits(Split::Test, &[row], self.source.class_count());
            refuses(&format!("image {row} of {count}"), logits)?;
        }
        Ok(None)
    }
}

/// A mistake must be an error value, neither accepted nor a panic.
fn refuses<T>(what: &str, result: Result<T, PluginError>) -> Result<(), JobError> {
    match result {
        Ok(_) => Err(failed(format!("{what} is accepted"))),
        Err(error) if error.to_string().starts_with("the plugin panicked") => {
            Err(failed(format!("{what}: {error}")))
        }
        Err(_) => Ok(()),
    }
}

/// The bytes behind a safetensors header.
fn tensors(module: &[u8]) -> &[u8] {
    let length = module
        .first_chunk::<8>()
        .map(|bytes| u64::from_le_bytes(*bytes));
    let start = length.and_then(|length| usize::try_from(length).ok()?.checked_add(8));
    start
        .and_then(|start| module.get(start..))
        .unwrap_or(module)
}
