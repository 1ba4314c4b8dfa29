//! MLflow's file store: an experiment for the suite, a folder for each run. To be read with
//! `mlflow ui --backend-store-uri file:FOLDER`.

use std::path::Path;

use serde::Serialize;

use crate::error::TrackerError;
use crate::files::write;
use crate::run::TrackedRun;
use harness_store::sha256_hex;

#[derive(Serialize)]
struct Experiment<'a> {
    artifact_location: String,
    creation_time: i64,
    experiment_id: &'a str,
    last_update_time: i64,
    lifecycle_stage: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
struct RunInfo<'a> {
    artifact_uri: String,
    start_time: i64,
    end_time: i64,
    entry_point_name: &'static str,
    experiment_id: &'a str,
    lifecycle_stage: &'static str,
    run_id: &'a str,
    run_name: String,
    run_uuid: &'a str,
    source_name: &'static str,
    source_type: i32,
    source_version: &'static str,
    /// 3 is finished.
    status: i32,
    tags: [u8; 0],
    user_id: &'static str,
}

/// Writes the runs into the store at `folder`; the experiment is named after the suite.
///
/// # Errors
/// When a file cannot be written.
pub fn mlflow(runs: &[TrackedRun], folder: &Path) -> Result<(), TrackerError> {
    let Some(first) = runs.first() else {
        return Err(TrackerError::NoRun);
    };
    // The store takes any text of digits; this one is that of the name.
    let digits = u64::from_str_radix(&sha256_hex(first.suite.as_bytes())[..15], 16);
    let experiment_id = format!("{:018}", digits.unwrap_or(1));
    let place = folder.join(&experiment_id);
    let began = first.started.timestamp_millis();
    let experiment = Experiment {
        artifact_location: format!("mlflow-artifacts:/{experiment_id}"),
        creation_time: began,
        experiment_id: &experiment_id,
        last_update_time: began,
        lifecycle_stage: "active",
        name: &first.suite,
    };
    write(&place.join("meta.yaml"), yaml(&experiment).as_bytes())?;
    for run in runs {
        let place = place.join(&run.id);
        let seconds = run.metrics.get("training_seconds").copied().unwrap_or(0.0);
        let began = run.started.timestamp_millis();
        let info = RunInfo {
            artifact_uri: format!("mlflow-artifacts:/{experiment_id}/{}/artifacts", run.id),
            start_time: began,
            end_time: began + (1e3 * seconds) as i64,
            entry_point_name: "",
            experiment_id: &experiment_id,
            lifecycle_stage: "active",
            run_id: &run.id,
            run_name: run.name(),
            run_uuid: &run.id,
            source_name: "",
            source_type: 4,
            source_version: "",
            status: 3,
            tags: [],
            user_id: "harness",
        };
        for (name, value) in &run.settings {
            // The store refuses longer values.
            let value: String = value.chars().take(6000).collect();
            write(&place.join("params").join(key(name)), value.as_bytes())?;
        }
        let last = run.losses.last().map_or(0, |(step, _)| *step);
        for (name, value) in &run.metrics {
            let line = format!("{began} {value} {last}\n");
            write(&place.join("metrics").join(key(name)), line.as_bytes())?;
        }
        if !run.losses.is_empty() {
            let lines = run.losses.iter();
            let lines: String = lines
                .map(|(step, loss)| format!("{began} {loss} {step}\n"))
                .collect();
            write(&place.join("metrics/loss"), lines.as_bytes())?;
        }
        let tags = [
            ("mlflow.runName", run.name()),
            ("mlflow.user", "harness".to_owned()),
        ];
        for (name, value) in tags {
            write(&place.join("tags").join(name), value.as_bytes())?;
        }
        fs_err::create_dir_all(place.join("artifacts")).map_err(|source| TrackerError::Write {
            path: place.clone(),
            source,
        })?;
        // Last, for a run without it is none.
        write(&place.join("meta.yaml"), yaml(&info).as_bytes())?;
    }
    Ok(())
}

/// The characters that a key may have; `/` makes a folder, as the store itself does.
fn key(name: &str) -> String {
    let parts = name.split('/').map(|part| {
        let part: String = part
            .chars()
            .map(|c| match c {
                c if c.is_ascii_alphanumeric() || "-_. ".contains(c) => c,
                _ => '_',
            })
            .collect();
        // No part of a path may lead elsewhere.
        match part.trim_matches('.') {
            "" => "_".to_owned(),
            _ => part,
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn yaml(value: &impl Serialize) -> String {
    // Only text and numbers: nothing that YAML refuses.
    serde_yaml::to_string(value).unwrap_or_default()
}
