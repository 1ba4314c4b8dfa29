//! Mistakes in a suite: what is wrong, where, and what was probably meant.

use std::fmt::{self, Write as _};

use super::Mark;
use super::similar::similar;

/// Mistakes that are printed before the rest is only counted.
const MOST_SHOWN: usize = 40;
/// Characters of a source line that are shown.
const WIDEST: usize = 100;

/// Known names that a hint lists before the rest is only counted.
const MOST_KNOWN: usize = 24;

/// Characters of a message that are shown; some quote the suite.
const LONGEST: usize = 2000;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub mark: Mark,
    /// A lowercase fragment.
    pub message: String,
    pub hint: Option<String>,
}

impl Mistake {
    pub(crate) fn new(mark: Mark, message: impl Into<String>) -> Self {
        Self {
            mark,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the closest of `known` as a hint, or what is known if nothing is close.
    pub(crate) fn meant<'a>(self, found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(name) = closest(found, &known) {
            return self.hint(format!("did you mean {name:?}?"));
        }
        match similar(found, &known)[..] {
            [] if known.is_empty() => self,
            [] if known.len() > MOST_KNOWN => self.hint(format!(
                "known: {} and {} more; `harness list` shows them",
                known[..MOST_KNOWN].join(", "),
                known.len() - MOST_KNOWN
            )),
            [] => self.hint(format!("known: {}", known.join(", "))),
            [name] => self.hint(format!("did you mean {name:?}?")),
            ref names => self.hint(format!("did you mean one of {}?", names.join(", "))),
        }
    }
}

/// The known name that `found` is a misspelling of.
pub fn closest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let found = found.to_lowercase();
    let allowed = 1 + found.chars().count() / 4;
    known
        .iter()
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&found, &name.to_lowercase());
            (distance, *name)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Every mistake of a suite, in the order of its lines. Displays as one block a
/// mistake: `path:line:column: message`, the line, a caret, and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    path: String,
    source: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    pub(crate) fn new(path: &str, source: &str, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.mark);
        list.dedup();
        Self {
            path: path.to_owned(),
            source: source.to_owned(),
            list,
        }
    }

    pub fn list(&self) -> &[Mistake] {
        &self.list
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().take(MOST_SHOWN).enumerate() {
            if index > 0 {
                writeln!(f, "\n")?;
            }
            let Mark { line, column, .. } = mistake.mark;
            if line == 0 {
                write!(f, "{}: {}", self.path, printable(&mistake.message))?;
            } else {
                write!(
                    f,
                    "{}:{line}:{column}: {}",
                    self.path,
                    printable(&mistake.message)
                )?;
                if let Some(text) = self.source.lines().nth(line - 1) {
                    snippet(f, text, mistake.mark)?;
                }
            }
            if let Some(hint) = &mistake.hint {
                write!(f, "\nhint: {}", printable(hint))?;
            }
        }
        if self.list.len() > MOST_SHOWN {
            write!(f, "\n\nand {} more", self.list.len() - MOST_SHOWN)?;
        }
        Ok(())
    }
}

/// The line and a caret under the offending text, cut to a window if it is long.
fn snippet(f: &mut fmt::Formatter<'_>, line: &str, mark: Mark) -> fmt::Result {
    let number = mark.line.to_string();
    let before = mark.column.saturating_sub(1);
    let skipped = if before > WIDEST / 2 {
        before - WIDEST / 4
    } else {
        0
    };
    let shown: String = line
        .chars()
        .skip(skipped)
        .take(WIDEST)
        .map(visible)
        .collect();
    let length = shown.chars().count();
    let indent = (before - skipped).min(length);
    let carets = mark.width.min(length - indent).max(1);
    write!(f, "\n{number} | {shown}")?;
    write!(
        f,
        "\n{:pad$} | {:indent$}{}",
        "",
        "",
        "^".repeat(carets),
        pad = number.len()
    )
}

/// A character that takes one column and cannot steer a terminal.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        other if is_steering(other) => '\u{fffd}',
        other => other,
    }
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text on one line and within bounds, with control characters written as escapes.
fn printable(text: &str) -> String {
    let mut out = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST {
            // Writing to a String cannot fail.
            let _ = write!(out, "… ({} more characters)", text.chars().count() - index);
            break;
        }
        if is_steering(character) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}
