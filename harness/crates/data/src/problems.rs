//! Collects everything that is wrong, so that one error tells it all.

use std::path::Path;

use crate::DataError;

/// How many problems of a kind are named; the others are only counted.
const NAMED: usize = 10;

/// Problems by kind, in the order in which the kinds were first met.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    what: &'static str,
    count: usize,
    named: Vec<String>,
}

impl Problems {
    /// Notes one problem: `what` is its kind ("label out of range"), `which` names it.
    pub(crate) fn add(&mut self, what: &'static str, which: impl Into<String>) {
        let position = self.kinds.iter().position(|kind| kind.what == what);
        let index = position.unwrap_or_else(|| {
            self.kinds.push(Kind {
                what,
                count: 0,
                named: Vec::new(),
            });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[index];
        kind.count += 1;
        if kind.named.len() < NAMED {
            kind.named.push(which.into());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// `Ok` without problems, otherwise the one error about `path`.
    pub(crate) fn into_result(self, path: &Path) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> = self.kinds.iter().map(Kind::describe).collect();
        Err(DataError::Invalid {
            path: path.to_owned(),
            count: self.kinds.iter().map(|kind| kind.count).sum(),
            summary: parts.join("; "),
        })
    }
}

impl Kind {
    fn describe(&self) -> String {
        let more = match self.count - self.named.len() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        format!(
            "{} ({}): {}{more}",
            self.what,
            self.count,
            self.named.join(", ")
        )
    }
}
