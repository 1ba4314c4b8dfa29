//! What the name of a backbone leads to: a folder, or files of a hub.

use std::path::{Path, PathBuf};

use harness_hub::registry::{Aliases, BackboneEntry, backbone_files};
use harness_hub::{Hub, Repo, RepoKind, Request};

use super::absent::{Absent, AbsentFile, InputKind};
use crate::suite::{Document, SuiteError};

/// Environment variable with a file of the user's own aliases.
const VARIABLE: &str = "HARNESS_BACKBONES";
/// Such a file beside a suite.
const BESIDE: &str = "backbones.yaml";
/// Before the name of a repository.
pub(super) const HUB: &str = "hf:";

/// Where an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// In this folder.
    Here(PathBuf),
    /// Known, but not all of it is on disk.
    Absent(Box<Absent>),
    /// Nothing has this name.
    Nowhere,
}

/// A file of aliases and the folder that its paths count from.
#[derive(Clone, Debug)]
struct Own {
    base: PathBuf,
    aliases: Aliases,
}

/// Backbones by alias and on the hub.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    hub: Hub,
    /// The nearest first.
    own: Vec<Own>,
    embedded: Aliases,
}

impl Published {
    /// Aliases that come with the program alone.
    pub(crate) fn embedded() -> Self {
        Self {
            hub: Hub::from_environment(),
            own: Vec::new(),
            embedded: Aliases::embedded(),
        }
    }

    /// Aliases of `base`'s own file and of the environment's, before the embedded.
    pub(crate) fn read(base: &Path) -> Result<Self, SuiteError> {
        let beside = Some(base.join(BESIDE)).filter(|path| path.is_file());
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let mut own = Vec::new();
        for path in beside.into_iter().chain(variable.map(PathBuf::from)) {
            own.push(Own {
                aliases: Document::read(&path)?.aliases()?,
                base: path.parent().unwrap_or(Path::new("")).to_owned(),
            });
        }
        Ok(Self {
            own,
            ..Self::embedded()
        })
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Every alias with what is known of it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &BackboneEntry)> {
        let own = self.own.iter().flat_map(|own| &own.aliases.0);
        let all = own.chain(&self.embedded.0);
        all.map(|(alias, entry)| (alias.as_str(), entry))
    }

    /// An alias of the user's own.
    pub(crate) fn of_user(&self, name: &str) -> Result<Whereabouts, String> {
        let mut own = self.own.iter();
        let found = own.find_map(|own| Some((own, own.aliases.get(name)?)));
        let Some((own, entry)) = found else {
            return Ok(Whereabouts::Nowhere);
        };
        match &entry.path {
            Some(path) => Ok(folder(name, own.base.join(path))),
            None => self.entry(name, entry),
        }
    }

    /// `hf:org/name@revision`, or an alias that comes with the program.
    pub(crate) fn of_hub(&self, name: &str) -> Result<Whereabouts, String> {
        if let Some(text) = name.strip_prefix(HUB) {
            let repo = Repo::parse(RepoKind::Model, text).map_err(|error| error.to_string())?;
            return self.locate(name, Request::new(repo, backbone_files()));
        }
        match self.embedded.get(name) {
            Some(entry) => self.entry(name, entry),
            None => Ok(Whereabouts::Nowhere),
        }
    }

    /// What a hub has of a backbone; `None` for folders and for unknown names.
    pub(crate) fn request(&self, name: &str) -> Option<Request> {
        if let Some(text) = name.strip_prefix(HUB) {
            let repo = Repo::parse(RepoKind::Model, text).ok()?;
            return Some(Request::new(repo, backbone_files()));
        }
        let (_, entry) = self.entries().find(|(alias, _)| *alias == name)?;
        entry.request().ok()
    }

    fn entry(&self, name: &str, entry: &BackboneEntry) -> Result<Whereabouts, String> {
        let request = entry.request().map_err(|error| error.to_string())?;
        let found = self.locate(name, request.clone())?;
        let Whereabouts::Here(folder) = &found else {
            return Ok(found);
        };
        if !entry.convert {
            return Ok(found);
        }
        let pickle = request
            .files
            .first()
            .map_or_else(String::new, |file| file.label());
        Ok(Whereabouts::Absent(Box::new(Absent {
            kind: InputKind::Backbone,
            name: name.to_owned(),
            advice: format!(
                "a pickle; run `harness convert {} -o FOLDER/model.safetensors`, put its configuration beside it, and name FOLDER in the suite",
                folder.join(pickle).display()
            ),
            files: Vec::new(),
            request: None,
        })))
    }

    fn locate(&self, name: &str, request: Request) -> Result<Whereabouts, String> {
        let located = self
            .hub
            .locate(&request)
            .map_err(|error| error.to_string())?;
        if located.is_complete() {
            return Ok(Whereabouts::Here(located.folder));
        }
        let absent = Absent::on_hub(InputKind::Backbone, name, request, located);
        Ok(Whereabouts::Absent(Box::new(absent)))
    }
}

/// A folder that an alias names.
fn folder(name: &str, path: PathBuf) -> Whereabouts {
    match fs_err::canonicalize(&path) {
        Ok(path) if path.is_dir() => Whereabouts::Here(path),
        _ => Whereabouts::Absent(Box::new(Absent {
            kind: InputKind::Backbone,
            name: name.to_owned(),
            advice: "an alias of a folder that is not there".to_owned(),
            files: vec![AbsentFile {
                name: "the folder".to_owned(),
                size: None,
                about: None,
                place: path,
            }],
            request: None,
        })),
    }
}
