//! A run for a tracker: one trained module.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::error::TrackerError;
use harness_report::{Cell, Condition, Report, Status};
use harness_store::sha256_hex;

/// A module that was trained on a source, and what became of it on each target.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedRun {
    /// 32 hexadecimal digits; the same for the same module of the same report.
    pub id: String,
    /// Name of the suite.
    pub suite: String,
    pub method: String,
    pub dataset: String,
    pub source: String,
    pub shots: u32,
    pub seed: String,
    /// Start of the harness run that the module was trained in.
    pub started: DateTime<Utc>,
    /// What the module was trained with: recipe, plugin, versions.
    pub settings: BTreeMap<String, String>,
    /// Mean training loss of each of the equal stretches of the steps, behind its last step.
    pub losses: Vec<(u64, f64)>,
    /// Accuracies as fractions and training costs, by name; those on a target begin with its name.
    pub metrics: BTreeMap<String, f64>,
    /// Targets that the module could not be measured on, and why.
    pub failed: Vec<(String, &'static str)>,
}

impl TrackedRun {
    /// `method-dataset-16shot-seed1`, with the source.
    pub fn name(&self) -> String {
        format!(
            "{}-{}-{}-{}shot-seed{}",
            self.method, self.dataset, self.source, self.shots, self.seed
        )
    }

    /// The name as that of a file, without what a path could be made of.
    pub(crate) fn file_name(&self) -> String {
        let plain = self.name();
        let plain = plain.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '-',
        });
        // What was replaced may have told two apart.
        let plain: String = plain.collect();
        format!("{}-{}", plain.trim_start_matches(['.', '-']), &self.id[..8])
    }
}

/// A run for each module of the report that was measured somewhere, in the order of the cells.
///
/// # Errors
/// When nothing was measured, or the report has no time of its start.
pub fn runs(report: &Report) -> Result<Vec<TrackedRun>, TrackerError> {
    let text = &report.provenance.started;
    let started = DateTime::parse_from_rfc3339(text).map_err(|source| TrackerError::Time {
        text: text.clone(),
        source,
    })?;
    let mut runs: Vec<TrackedRun> = Vec::new();
    let mut places: BTreeMap<[String; 5], usize> = BTreeMap::new();
    for cell in report.cells.iter().filter(|cell| cell.training.is_some()) {
        let key = [
            cell.method.clone(),
            cell.dataset.clone(),
            cell.upgrade.source.clone(),
            cell.shots.to_string(),
            cell.seed.to_string(),
        ];
        let at = *places.entry(key).or_insert_with_key(|key| {
            runs.push(begin(report, cell, key, started.into()));
            runs.len() - 1
        });
        measure(&mut runs[at], cell);
    }
    match runs.is_empty() {
        true => Err(TrackerError::NoRun),
        false => Ok(runs),
    }
}

fn begin(report: &Report, cell: &Cell, key: &[String; 5], started: DateTime<Utc>) -> TrackedRun {
    let digest = report
        .digest
        .as_deref()
        .unwrap_or(&report.provenance.started);
    let identity = format!("{}\n{}", digest, key.join("\n"));
    let mut settings = BTreeMap::from(
        [
            ("method", cell.method.clone()),
            ("dataset", cell.dataset.clone()),
            ("source", cell.upgrade.source.clone()),
            ("shots", cell.shots.to_string()),
            ("seed", cell.seed.to_string()),
            ("harness", report.provenance.harness.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let method = report.methods.iter().find(|one| one.label == cell.method);
    if let Some(method) = method {
        settings.insert("plugin".to_owned(), method.plugin.clone());
        settings.extend(texts("config", &method.config));
    }
    let mut losses = Vec::new();
    let mut metrics = BTreeMap::new();
    if let Some(training) = &cell.training {
        settings.extend(texts("recipe", &training.recipe));
        settings.insert("module_sha256".to_owned(), training.module_sha256.clone());
        metrics.insert("training_seconds".to_owned(), training.seconds);
        metrics.insert("steps".to_owned(), training.steps as f64);
        metrics.insert("parameters".to_owned(), training.parameters as f64);
        let stretches = training.losses.len() as u64;
        losses = training
            .losses
            .iter()
            .zip(1..)
            .map(|(loss, at)| (at * training.steps / stretches, f64::from(*loss)))
            .collect();
    }
    TrackedRun {
        id: sha256_hex(identity.as_bytes())[..32].to_owned(),
        suite: report.suite.name.clone(),
        method: cell.method.clone(),
        dataset: cell.dataset.clone(),
        source: cell.upgrade.source.clone(),
        shots: cell.shots,
        seed: cell.seed.to_string(),
        started,
        settings,
        losses,
        metrics,
        failed: Vec::new(),
    }
}

/// The entries of an object as text, their names behind `prefix`.
fn texts(prefix: &str, object: &Value) -> Vec<(String, String)> {
    let entries = object.as_object().into_iter().flatten();
    let entries = entries.filter(|(_, value)| !value.is_null());
    let entries = entries.map(|(name, value)| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (format!("{prefix}.{name}"), text)
    });
    entries.collect()
}

fn measure(run: &mut TrackedRun, cell: &Cell) {
    let of = &cell.conditions;
    let target = &cell.upgrade.target;
    let mut put = |name: String, condition: &Option<Condition>| {
        if let Some(condition) = condition {
            run.metrics.insert(name, condition.accuracy);
        }
    };
    put("base".to_owned(), &of.base);
    put("zero_shot_source".to_owned(), &of.zero_source);
    put(format!("{target}/new"), &of.new);
    put(format!("{target}/zero_shot_target"), &of.zero_target);
    put(format!("{target}/retrained"), &of.oracle);
    if let (Some(new), Some(zero)) = (&of.new, &of.zero_target) {
        let gain = new.accuracy - zero.accuracy;
        run.metrics.insert(format!("{target}/over_zero_shot"), gain);
    }
    if cell.status != Status::Ok {
        run.failed.push((target.clone(), cell.status.word()));
    }
}
