//! Inputs that are known by name, but whose files are not on this machine.

use std::fmt;
use std::path::PathBuf;

use harness_hub::{Located, Request};

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    Backbone,
    Dataset,
}

impl InputKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Backbone => "backbone",
            Self::Dataset => "data set",
        }
    }
}

/// An input whose files are not all on disk. Displays as a block of lines: what it is,
/// then each file with its size and the path where it is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub kind: InputKind,
    /// As in the suite.
    pub name: String,
    /// Where it is published, or how to get it. A lower-case fragment.
    pub advice: String,
    pub files: Vec<AbsentFile>,
    /// What `harness fetch` downloads; `None` if it cannot.
    pub request: Option<Request>,
}

/// A missing file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentFile {
    pub name: String,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// Approximate size in bytes.
    pub about: Option<u64>,
    /// Where it is expected; `None` if the name says it.
    pub path: Option<PathBuf>,
}

impl Absent {
    /// A data set that has to be downloaded by hand.
    pub fn by_hand(name: &str, advice: String, missing: Vec<String>) -> Self {
        let files = missing.into_iter().map(|name| AbsentFile {
            name,
            size: None,
            about: None,
            path: None,
        });
        Self {
            kind: InputKind::Dataset,
            name: name.to_owned(),
            advice,
            files: files.collect(),
            request: None,
        }
    }

    /// Files of a repository on a hub that are not in the cache.
    pub fn on_hub(kind: InputKind, name: &str, request: Request, located: Located) -> Self {
        let mut advice = format!(
            "not complete on this machine; published as {}",
            request.repo
        );
        if !located.other_commits.is_empty() {
            let commits = located.other_commits.join(", ");
            advice.push_str(&format!(
                "; the cache has files of {commits} but no refs/{} that points there: name the commit after @",
                request.repo.revision()
            ));
        }
        let files = located.missing.into_iter().map(|file| AbsentFile {
            name: file.name,
            size: file.size,
            about: file.about,
            path: Some(file.path),
        });
        Self {
            kind,
            name: name.to_owned(),
            advice,
            files: files.collect(),
            request: Some(request),
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.name(), self.name, self.advice)?;
        if self.request.is_some() {
            f.write_str("; missing:")?;
        }
        for file in &self.files {
            write!(f, "\n    {}", file.name)?;
            if let Some(path) = &file.path {
                write!(f, " ({}): {}", file.length(), path.display())?;
            }
        }
        Ok(())
    }
}

impl AbsentFile {
    /// "300 MB", "about 300 MB" or "size unknown".
    pub fn length(&self) -> String {
        match (self.size, self.about) {
            (Some(size), _) => readable(size),
            (None, Some(about)) => format!("about {}", readable(about)),
            (None, None) => "size unknown".to_owned(),
        }
    }
}

/// A size in decimal units, as hubs and disks state it.
pub fn readable(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
