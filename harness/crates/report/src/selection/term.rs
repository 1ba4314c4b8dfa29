//! The syntax of one `--only`.
//!
//! ```text
//! term  = pair { "," ( pair | value ) }
//! pair  = key "=" value
//! value = JSON string | text without a comma
//! ```
//!
//! A value that begins with `"` is a JSON string, so that it can hold any label. Any other value
//! is taken as it is, without the spaces around it; after a comma, one with an equals sign needs
//! quotes, since it would be a pair.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::Key;
use crate::seeds::Seeds;
use crate::shell::is_printable;

/// The conditions of one `--only`: `method=coop,kgcoop,seed=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub(super) conditions: Vec<Condition>,
}

/// A key and one of the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) key: Key,
    pub(super) value: String,
}

impl Condition {
    /// Seeds are compared as a cell's are written: `2/2` is `2`.
    fn new(key: Key, value: String) -> Self {
        let seeds = (key == Key::Seed).then(|| value.parse::<Seeds>().ok());
        Self {
            key,
            value: seeds.flatten().map_or(value, |seeds| seeds.to_string()),
        }
    }
}

/// Why an `--only` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    #[error("{found:?} is not of the form KEY=VALUE, such as `method=coop`")]
    Form { found: String },
    #[error(
        "unknown key {found:?}, expected one of {}; a value with an equals sign needs double \
         quotes, such as `dataset=\"a=b\"`",
        Key::ALL.map(Key::as_str).join(", ")
    )]
    Key { found: String },
    #[error("{rest:?} is not a JSON string: {reason}")]
    Quoted { rest: String, reason: String },
    #[error("expected a comma before {rest:?}")]
    Trailing { rest: String },
}

impl FromStr for Term {
    type Err = TermError;

    fn from_str(text: &str) -> Result<Self, TermError> {
        let mut conditions: Vec<Condition> = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start();
            let last = conditions.last().map(|condition| condition.key);
            let (key, after) = key(text, rest, last)?;
            let (value, after) = value(text, after)?;
            conditions.push(Condition::new(key, value));
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None if after.is_empty() => return Ok(Self { conditions }),
                None => {
                    return Err(TermError::Trailing {
                        rest: after.to_owned(),
                    });
                }
            }
        }
    }
}

/// The key at the start of `rest` or, where there is none, that of the value before, and what
/// follows.
fn key<'t>(text: &str, rest: &'t str, last: Option<Key>) -> Result<(Key, &'t str), TermError> {
    let form = || TermError::Form {
        found: text.to_owned(),
    };
    let piece = rest.split(',').next().unwrap_or_default();
    if rest.starts_with('"') || !piece.contains('=') {
        return Ok((last.ok_or_else(form)?, rest));
    }
    let (name, after) = rest.split_once('=').ok_or_else(form)?;
    let key = Key::named(name.trim_end()).ok_or_else(|| TermError::Key {
        found: name.to_owned(),
    })?;
    Ok((key, after.trim_start()))
}

/// The value at the start of `rest` and what follows.
fn value<'t>(text: &str, rest: &'t str) -> Result<(String, &'t str), TermError> {
    if rest.starts_with('"') {
        let mut strings = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let quoted = |reason: String| TermError::Quoted {
            rest: rest.to_owned(),
            reason,
        };
        return match strings.next() {
            Some(Ok(value)) => Ok((value, rest[strings.byte_offset()..].trim_start())),
            Some(Err(error)) => Err(quoted(error.to_string())),
            None => Err(quoted("nothing there".to_owned())),
        };
    }
    let (value, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    match value.trim_end() {
        "" => Err(TermError::Form {
            found: text.to_owned(),
        }),
        value => Ok((value.to_owned(), after)),
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for Condition { key, value } in &self.conditions {
            if last.is_some() {
                f.write_char(',')?;
            }
            if last != Some(*key) {
                write!(f, "{}=", key.as_str())?;
            }
            f.write_str(&quoted(value))?;
            last = Some(*key);
        }
        Ok(())
    }
}

/// A value as [`Term`] reads it back: as it is, or as a JSON string in which every character that
/// a terminal would not show is escaped.
pub(super) fn quoted(value: &str) -> String {
    let is_bare = !value.is_empty() && !value.starts_with('"') && !value.contains([',', '=']);
    if is_bare && is_printable(value) {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for (at, c) in value.char_indices() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            // A space is kept where a terminal would keep it.
            ' ' if !value[..at].ends_with(' ') && at > 0 => text.push(c),
            c if c != ' ' && is_printable(c.encode_utf8(&mut [0; 4])) => text.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
    text
}
