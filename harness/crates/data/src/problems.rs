//! Collects everything that is wrong, so that one error reports all of it.

use std::path::Path;

use crate::error::DataError;

/// How many problems of a kind are named; the others are only counted.
const MAX_NAMED: usize = 10;
/// Characters that name a problem; a damaged class name may have megabytes.
const MAX_CHARACTERS: usize = 300;

/// Kinds of problems that `allow_missing` accepts.
pub(crate) const MISSING: &str = "missing image";
pub(crate) const UNREADABLE: &str = "unreadable image";

/// Problems by kind, in the order in which the kinds were first met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    groups: Vec<ProblemGroup>,
    notes: Vec<ProblemGroup>,
}

/// All problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemGroup {
    /// Such as "missing image".
    pub kind: &'static str,
    /// One text per problem that says where it is.
    pub items: Vec<String>,
}

impl Problems {
    /// Adds one problem: its kind ("label out of range") and where it is.
    pub(crate) fn add(&mut self, kind: &'static str, item: impl Into<String>) {
        add_to(&mut self.groups, kind, item.into());
    }

    /// Adds what was read in another way than it is written, and prevents nothing.
    pub(crate) fn note(&mut self, kind: &'static str, item: impl Into<String>) {
        add_to(&mut self.notes, kind, item.into());
    }

    pub(crate) fn take_notes(&mut self) -> Vec<ProblemGroup> {
        std::mem::take(&mut self.notes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(crate) fn into_groups(self) -> Vec<ProblemGroup> {
        self.groups
    }

    /// `Ok` without problems, otherwise the one error about `path`.
    pub(crate) fn into_result(self, path: &Path) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> = self.groups.iter().map(ProblemGroup::describe).collect();
        Err(DataError::Invalid {
            path: path.to_owned(),
            count: self.groups.iter().map(|group| group.items.len()).sum(),
            summary: parts.join("; "),
        })
    }
}

impl ProblemGroup {
    /// Whether it is about missing or unreadable images rather than about annotations.
    pub fn is_about_images(&self) -> bool {
        matches!(self.kind, MISSING | UNREADABLE)
    }

    /// The kind with its count and the first ten items, on one line.
    pub fn describe(&self) -> String {
        let more = match self.items.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        let named = &self.items[..self.items.len().min(MAX_NAMED)];
        format!(
            "{} ({}): {}{more}",
            self.kind,
            self.items.len(),
            named.join(", ")
        )
    }
}

fn add_to(groups: &mut Vec<ProblemGroup>, kind: &'static str, item: String) {
    let item = shortened(item);
    match groups.iter_mut().find(|group| group.kind == kind) {
        Some(group) => group.items.push(item),
        None => groups.push(ProblemGroup {
            kind,
            items: vec![item],
        }),
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
