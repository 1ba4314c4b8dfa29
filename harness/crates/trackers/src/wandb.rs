//! Weights & Biases' folders of offline runs, to be uploaded with `wandb sync FOLDER/offline-run-*`.
//!
//! A run's file is LevelDB's log with a header and zlib's checksum; each record of it is a `Record` as
//! protocol buffer (wandb/proto/wandb_internal.proto).

use std::path::{Path, PathBuf};

use prost::Message;
use serde_json::{Value, json};

use crate::error::TrackerError;
use crate::files::write;
use crate::run::TrackedRun;

/// What a file begins with: its name, a magic number, its version.
const HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xe1, 0xbe, 0];
/// Records do not cross the end of a block; one that would is cut.
const BLOCK: usize = 32768;
/// Checksum, length and kind of a piece.
const PIECE: usize = 7;
/// Characters of a project's name.
const PROJECT: usize = 100;

#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(int64, tag = "1")]
    num: i64,
    #[prost(message, optional, tag = "2")]
    history: Option<History>,
    #[prost(message, optional, tag = "3")]
    summary: Option<Items>,
    #[prost(message, optional, tag = "17")]
    run: Option<Run>,
    #[prost(message, optional, tag = "18")]
    exit: Option<Exit>,
    #[prost(message, optional, tag = "21")]
    header: Option<Header>,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(message, optional, tag = "1")]
    version: Option<Version>,
}

#[derive(Clone, PartialEq, Message)]
struct Version {
    #[prost(string, tag = "1")]
    producer: String,
    #[prost(string, tag = "2")]
    min_consumer: String,
}

#[derive(Clone, PartialEq, Message)]
struct Run {
    #[prost(string, tag = "1")]
    run_id: String,
    #[prost(string, tag = "3")]
    project: String,
    #[prost(message, optional, tag = "4")]
    config: Option<Items>,
    #[prost(string, tag = "6")]
    run_group: String,
    #[prost(string, tag = "7")]
    job_type: String,
    #[prost(string, tag = "8")]
    display_name: String,
    #[prost(string, repeated, tag = "10")]
    tags: Vec<String>,
    #[prost(message, optional, tag = "17")]
    start_time: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Items {
    #[prost(message, repeated, tag = "1")]
    update: Vec<Item>,
}

#[derive(Clone, PartialEq, Message)]
struct History {
    #[prost(message, repeated, tag = "1")]
    item: Vec<Item>,
    #[prost(message, optional, tag = "2")]
    step: Option<Step>,
}

#[derive(Clone, PartialEq, Message)]
struct Step {
    #[prost(int64, tag = "1")]
    num: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Item {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "16")]
    value_json: String,
}

#[derive(Clone, PartialEq, Message)]
struct Exit {
    #[prost(int32, tag = "1")]
    exit_code: i32,
}

/// Writes a folder for each run into `folder`; gives the folder of each.
///
/// # Errors
/// When a file cannot be written.
pub fn wandb(runs: &[TrackedRun], folder: &Path) -> Result<Vec<PathBuf>, TrackerError> {
    let folders = runs.iter().map(|run| {
        let id = &run.id[..8];
        let began = run.started.format("%Y%m%d_%H%M%S");
        let place = folder.join(format!("offline-run-{began}-{id}"));
        write(&place.join(format!("run-{id}.wandb")), &log(&records(run)))?;
        fs_err::create_dir_all(place.join("files")).map_err(|source| TrackerError::Write {
            path: place.clone(),
            source,
        })?;
        Ok(place)
    });
    folders.collect()
}

fn records(run: &TrackedRun) -> Vec<Record> {
    let header = Header {
        version: Some(Version {
            producer: concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned(),
            min_consumer: "0.70.0".to_owned(),
        }),
    };
    let settings = run.settings.iter();
    let settings = settings.map(|(name, value)| item(name, &json!(value)));
    // Characters that the name of a project may not have.
    let project = run.suite.chars().map(|c| match c {
        '/' | '\\' | '#' | '?' | '%' | ':' => '-',
        c if c.is_control() => '-',
        c => c,
    });
    let begin = Run {
        run_id: run.id[..8].to_owned(),
        project: project.take(PROJECT).collect(),
        config: Some(Items {
            update: settings.collect(),
        }),
        run_group: run.method.clone(),
        job_type: run.dataset.clone(),
        display_name: run.name(),
        tags: vec!["harness".to_owned()],
        start_time: Some(Time {
            seconds: run.started.timestamp(),
        }),
    };
    let began = run.started.timestamp_millis() as f64 / 1e3;
    let seconds = run.metrics.get("training_seconds").copied().unwrap_or(0.0);
    let last = run.losses.last().map_or(1, |(step, _)| (*step).max(1));
    let histories = run.losses.iter().map(|(step, loss)| {
        let runtime = seconds * *step as f64 / last as f64;
        History {
            item: vec![
                item("loss", &number(*loss)),
                item("_step", &json!(step)),
                item("_runtime", &json!(runtime)),
                item("_timestamp", &json!(began + runtime)),
            ],
            step: Some(Step {
                num: i64::try_from(*step).unwrap_or(i64::MAX),
            }),
        }
    });
    let metrics = run.metrics.iter();
    let summary = metrics.map(|(name, value)| item(name, &number(*value)));
    let records = [
        Record {
            header: Some(header),
            ..Record::default()
        },
        Record {
            run: Some(begin),
            ..Record::default()
        },
    ];
    let ends = [
        Record {
            summary: Some(Items {
                update: summary.collect(),
            }),
            ..Record::default()
        },
        Record {
            exit: Some(Exit { exit_code: 0 }),
            ..Record::default()
        },
    ];
    let histories = histories.map(|history| Record {
        history: Some(history),
        ..Record::default()
    });
    let records = records.into_iter().chain(histories).chain(ends);
    records
        .zip(1..)
        .map(|(record, num)| Record { num, ..record })
        .collect()
}

fn item(key: &str, value: &Value) -> Item {
    Item {
        key: key.to_owned(),
        value_json: value.to_string(),
    }
}

/// JSON has no other numbers.
fn number(value: f64) -> Value {
    match value.is_finite() {
        true => json!(value),
        false => json!(value.to_string()),
    }
}

fn log(records: &[Record]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    for record in records {
        let record = record.encode_to_vec();
        let mut rest = record.as_slice();
        let mut is_first = true;
        loop {
            let left = BLOCK - file.len() % BLOCK;
            if left < PIECE {
                file.resize(file.len() + left, 0);
                continue;
            }
            let (piece, after) = rest.split_at(rest.len().min(left - PIECE));
            // Whole, first, middle, last.
            let kind: u8 = match (is_first, after.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            let mut checksum = crc32fast::Hasher::new();
            checksum.update(&[kind]);
            checksum.update(piece);
            file.extend(checksum.finalize().to_le_bytes());
            file.extend((piece.len() as u16).to_le_bytes());
            file.push(kind);
            file.extend(piece);
            (rest, is_first) = (after, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    file
}
