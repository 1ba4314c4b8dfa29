//! `harness fetch`, and what `harness run` fetches by itself.

use std::fmt::Write;

use harness_engine::fetch::{FetchError, Needs, RetryPolicy, Served, Verification};
use harness_engine::registry::{Absent, readable};
use harness_engine::run::{RunError, Settings};
use harness_report::ExitCode;

use crate::absent_inputs::blocks;
use crate::cli::FetchArguments;
use crate::downloads::Downloads;
use crate::failure::Failure;
use crate::suite_path::find_suite;
use crate::{output, table};

pub(crate) fn fetch(arguments: &FetchArguments) -> Result<ExitCode, Failure> {
    let suite = arguments.suite.as_deref().map(find_suite).transpose()?;
    let find = || match &suite {
        Some(suite) => Needs::of_suite(suite, arguments.data.as_deref()),
        None => Needs::of_names(
            &arguments.backbone,
            &arguments.dataset,
            arguments.data.as_deref(),
        ),
    };
    let served = get(&find()?)?;
    // What can be fetched is there now; the rest is a person's work.
    let left = find()?.absent;
    output::print(&render(&served, &left))?;
    Ok(match left.is_empty() {
        true => ExitCode::Ok,
        false => ExitCode::SetUp,
    })
}

/// Gets what a suite needs and a hub has, if anything is missing and the network may
/// be used. Mistakes in the suite are for the run to report.
pub(crate) fn fetch_missing(settings: &Settings<'_>) -> Result<(), Failure> {
    let suite = &settings.suite;
    match Needs::of_suite(suite, settings.data.as_deref()) {
        Ok(needs) if needs.is_fetchable() => {
            let unlocked = needs.unlocked(suite, settings.is_locked);
            for repository in unlocked.map_err(RunError::from)? {
                say!("warning: first download from {repository}, which is not in a harness.lock");
            }
            get(&needs).map(drop)
        }
        _ => Ok(()),
    }
}

fn get(needs: &Needs) -> Result<Vec<Served>, Failure> {
    let mut downloads = Downloads::new();
    let result = needs.fetch(RetryPolicy::default(), &mut downloads);
    downloads.finish();
    result.map_err(|error| failure(&error, &needs.absent))
}

fn failure(error: &FetchError, absent: &[Absent]) -> Failure {
    let hint = match error {
        FetchError::Offline { .. } => "unset HF_HUB_OFFLINE, or put the files there by hand",
        FetchError::NoSpace { .. } => "HF_HUB_CACHE names another folder",
        _ => {
            "run it again to resume; HF_ENDPOINT and HARNESS_MIRROR name other sources, and files that you put there by hand are used"
        }
    };
    Failure::new(ExitCode::SetUp, error)
        .details(blocks(absent))
        .hint(hint)
}

fn render(served: &[Served], left: &[Absent]) -> String {
    let rows = served.iter().flat_map(|input| {
        input.downloads.iter().map(|file| {
            let check = match file.verification {
                Verification::Sha256 => "hash",
                Verification::Size => "length",
                Verification::None => "nothing",
            };
            vec![
                input.name.clone(),
                file.name.clone(),
                readable(file.size),
                check.to_owned(),
                file.sha256.clone(),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    let mut text = String::new();
    if !rows.is_empty() {
        let head = ["INPUT", "FILE", "SIZE", "CHECKED BY", "SHA-256"];
        text = table::plain(&head, rows.iter().cloned()) + "\n";
    }
    if !left.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, "Still missing:\n\n{}\n\n", blocks(left));
    }
    let bytes = served.iter().flat_map(|input| &input.downloads);
    let bytes: u64 = bytes.map(|file| file.size).sum();
    let _ = writeln!(
        text,
        "Summary fetched={} bytes={bytes} missing={}",
        rows.len(),
        left.len()
    );
    text
}
