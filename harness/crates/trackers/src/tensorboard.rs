//! TensorBoard's event files: a folder for each run, to be read with `tensorboard --logdir`.
//!
//! A file is a sequence of records: length, its checksum, an `Event` as protocol buffer, its checksum
//! (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto).

use std::path::{Path, PathBuf};

use prost::Message;

use crate::error::TrackerError;
use crate::files::write;
use crate::run::TrackedRun;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// Writes a folder for each run into `folder`; gives the folder of each.
///
/// # Errors
/// When a file cannot be written.
pub fn tensorboard(runs: &[TrackedRun], folder: &Path) -> Result<Vec<PathBuf>, TrackerError> {
    let folders = runs.iter().map(|run| {
        let place = folder.join(run.file_name());
        let seconds = run.started.timestamp();
        let file = format!("events.out.tfevents.{seconds}.harness.{}", &run.id[..8]);
        write(&place.join(file), &events(run))?;
        Ok(place)
    });
    folders.collect()
}

fn events(run: &TrackedRun) -> Vec<u8> {
    let wall_time = run.started.timestamp_millis() as f64 / 1e3;
    let version = Event {
        wall_time,
        file_version: Some("brain.Event:2".to_owned()),
        ..Event::default()
    };
    let scalar = |step: u64, tag: &str, value: f64| Event {
        wall_time,
        step: i64::try_from(step).unwrap_or(i64::MAX),
        summary: Some(Summary {
            value: vec![Value {
                tag: tag.to_owned(),
                simple_value: value as f32,
            }],
        }),
        ..Event::default()
    };
    let losses = run.losses.iter();
    let losses = losses.map(|(step, loss)| scalar(*step, "loss", *loss));
    let last = run.losses.last().map_or(0, |(step, _)| *step);
    let metrics = run.metrics.iter();
    let metrics = metrics.map(|(name, value)| scalar(last, name, *value));
    let mut file = Vec::new();
    for event in std::iter::once(version).chain(losses).chain(metrics) {
        let event = event.encode_to_vec();
        let length = (event.len() as u64).to_le_bytes();
        file.extend(length);
        file.extend(masked(&length).to_le_bytes());
        file.extend(&event);
        file.extend(masked(&event).to_le_bytes());
    }
    file
}

/// The checksum of a record.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}
