//! `harness cache`: what is stored, whether it is sound, and what can go.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use harness_report::ExitCode;
use harness_store::{FileKind, FileState, Store, StoredFile};
use indicatif::{HumanBytes, HumanDuration};

use crate::cli::{CacheAction, CacheArguments};
use crate::failure::Failure;
use crate::{output, table};

pub(crate) fn cache(action: &CacheAction) -> Result<ExitCode, Failure> {
    match action {
        CacheAction::Ls(cache) => list(&open(cache)?),
        CacheAction::Verify(cache) => verify(&open(cache)?),
        CacheAction::Gc {
            cache,
            older_than,
            dry_run,
        } => collect(&open(cache)?, *older_than, *dry_run),
    }
}

fn open(cache: &CacheArguments) -> Result<Store, Failure> {
    Store::open(cache.store.clone()).map_err(failure)
}

fn failure(error: impl ToString) -> Failure {
    Failure::new(ExitCode::SetUp, error).hint("choose another folder with --store or HARNESS_STORE")
}

fn list(store: &Store) -> Result<ExitCode, Failure> {
    let entries = store.features().map_err(failure)?;
    let files = store.files().map_err(failure)?;
    let rows = entries.iter().map(|entry| {
        vec![
            entry.title.clone(),
            entry.view.clone(),
            entry.precision.clone(),
            entry.rows.to_string(),
            entry.shards.to_string(),
            HumanBytes(entry.bytes).to_string(),
            entry.written.map(age).unwrap_or_default(),
        ]
    });
    let head = [
        "FEATURES", "VIEW", "FORMAT", "IMAGES", "SHARDS", "SIZE", "AGE",
    ];
    let mut text = table::plain(&head, rows);
    text.push('\n');
    let rows = FileKind::ALL.map(|kind| {
        let of_kind: Vec<&StoredFile> = files.iter().filter(|file| file.kind == kind).collect();
        vec![
            kind.folder().to_owned(),
            of_kind.len().to_string(),
            HumanBytes(total(&of_kind)).to_string(),
        ]
    });
    text += &table::plain(&["KIND", "FILES", "SIZE"], rows);
    let all: Vec<&StoredFile> = files.iter().collect();
    let useless = files
        .iter()
        .filter(|file| file.state.removable_because().is_some());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\nSummary store={} files={} bytes={} removable={}",
        store.root().display(),
        files.len(),
        total(&all),
        useless.count()
    );
    output::print(&text)?;
    Ok(ExitCode::Ok)
}

fn verify(store: &Store) -> Result<ExitCode, Failure> {
    let files = store.files().map_err(failure)?;
    let damaged = files
        .iter()
        .filter_map(|file| match &file.state {
            FileState::Damaged(reason) => Some((file, reason)),
            _ => None,
        })
        .collect::<Vec<_>>();
    let mut text = String::new();
    for (file, reason) in &damaged {
        let _ = writeln!(text, "{}: {reason}", shown(store, &file.path));
    }
    let _ = writeln!(
        text,
        "Summary files={} damaged={}",
        files.len(),
        damaged.len()
    );
    output::print(&text)?;
    if damaged.is_empty() {
        return Ok(ExitCode::Ok);
    }
    say!("damaged files are never used; `harness cache gc` removes them");
    Ok(ExitCode::SetUp)
}

fn collect(store: &Store, older_than: Option<u32>, dry_run: bool) -> Result<ExitCode, Failure> {
    let limit = older_than.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    let files = store.files().map_err(failure)?;
    let mut text = String::new();
    let mut removed = Vec::new();
    for file in &files {
        let Some(reason) = reason(file, limit) else {
            continue;
        };
        if !dry_run {
            store.remove(file).map_err(failure)?;
        }
        let _ = writeln!(text, "{}: {reason}", shown(store, &file.path));
        removed.push(file);
    }
    let mut counts: BTreeMap<FileKind, usize> = BTreeMap::new();
    for file in &removed {
        *counts.entry(file.kind).or_default() += 1;
    }
    let _ = write!(
        text,
        "Summary {}={} bytes={}",
        if dry_run { "would-remove" } else { "removed" },
        removed.len(),
        total(&removed)
    );
    for (kind, count) in counts {
        let _ = write!(text, " {}={count}", kind.folder());
    }
    text.push('\n');
    output::print(&text)?;
    Ok(ExitCode::Ok)
}

/// Why a file goes, if it does.
fn reason(file: &StoredFile, limit: Option<Duration>) -> Option<String> {
    let is_old = || file.written.elapsed().is_ok_and(|age| Some(age) > limit);
    file.state.removable_because().or_else(|| {
        let goes = file.state == FileState::Good && limit.is_some() && is_old();
        goes.then(|| format!("{} old", age(file.written)))
    })
}

fn total(files: &[&StoredFile]) -> u64 {
    files.iter().map(|file| file.bytes).sum()
}

fn age(written: SystemTime) -> String {
    HumanDuration(written.elapsed().unwrap_or_default()).to_string()
}

/// A path below the store's folder.
fn shown(store: &Store, path: &Path) -> String {
    let below = path.strip_prefix(store.root()).unwrap_or(path);
    below.display().to_string()
}
