//! Why a checkpoint could not be converted.

use std::path::PathBuf;

/// Why a checkpoint could not be converted. Nothing is written in any of these cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    #[error("{}: {reason}", .path.display())]
    Archive { path: PathBuf, reason: String },
    #[error("{}: byte {at} of its data.pkl: {reason}", .path.display())]
    Pickle {
        path: PathBuf,
        at: usize,
        reason: String,
    },
    #[error("{}: {entry}: {reason}", .path.display())]
    Entry {
        path: PathBuf,
        entry: String,
        reason: String,
    },
    /// Every entry that is in the way, and why.
    #[error("{}: {} entries cannot be converted: {}", .path.display(), .entries.len(), listed(.entries))]
    Entries {
        path: PathBuf,
        entries: Vec<(String, String)>,
    },
    #[error("{}: no {title}: {reason}", .path.display())]
    Module {
        path: PathBuf,
        title: &'static str,
        reason: String,
    },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Entries that a message names.
const NAMED: usize = 30;

fn listed(entries: &[(String, String)]) -> String {
    let shown = entries.iter().take(NAMED);
    let shown: Vec<String> = shown
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect();
    let more = match entries.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    shown.join("; ") + &more
}
