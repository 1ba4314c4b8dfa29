//! Collects everything that is wrong, so that one error tells it all.

use std::path::Path;

use crate::DataError;

/// How many problems of a kind are named; the others are only counted.
const NAMED: usize = 10;
/// Characters of what names a problem; a class name may have megabytes.
const WIDEST: usize = 300;

/// Kinds of problems that `allow_missing` passes over.
pub(crate) const MISSING: &str = "missing image";
pub(crate) const UNREADABLE: &str = "unreadable image";

/// Problems by kind, in the order in which the kinds were first met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    kinds: Vec<Kind>,
}

/// All problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The kind, such as "missing image".
    pub what: &'static str,
    /// What names each of them.
    pub which: Vec<String>,
}

impl Problems {
    /// Notes one problem: `what` is its kind ("label out of range"), `which` names it.
    pub(crate) fn add(&mut self, what: &'static str, which: impl Into<String>) {
        let which = shortened(which.into());
        match self.kinds.iter_mut().find(|kind| kind.what == what) {
            Some(kind) => kind.which.push(which),
            None => self.kinds.push(Kind {
                what,
                which: vec![which],
            }),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(crate) fn into_kinds(self) -> Vec<Kind> {
        self.kinds
    }

    /// `Ok` without problems, otherwise the one error about `path`.
    pub(crate) fn into_result(self, path: &Path) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> = self.kinds.iter().map(Kind::describe).collect();
        Err(DataError::Invalid {
            path: path.to_owned(),
            count: self.kinds.iter().map(|kind| kind.which.len()).sum(),
            summary: parts.join("; "),
        })
    }
}

impl Kind {
    /// Whether it is about images that are missing or unreadable, not about what is said of
    /// them.
    pub fn is_about_images(&self) -> bool {
        matches!(self.what, MISSING | UNREADABLE)
    }

    /// The kind with its count and the first ten names, on one line.
    pub fn describe(&self) -> String {
        let more = match self.which.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        let named = &self.which[..self.which.len().min(NAMED)];
        format!(
            "{} ({}): {}{more}",
            self.what,
            self.which.len(),
            named.join(", ")
        )
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
