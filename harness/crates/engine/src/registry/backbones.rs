//! What the name of a backbone leads to: a folder, or files of a hub.

use std::path::{Path, PathBuf};

use harness_hub::registry::{Aliases, BackboneEntry, backbone_files};
use harness_hub::{Hub, Repo, RepoKind, Request};

use super::absent::{Absent, AbsentFile, InputKind};
use super::weight_shards::with_shards;
use super::{Location, LocationError};
use crate::suite::{Document, SuiteError};

/// Environment variable that names a file with the user's own aliases.
const VARIABLE: &str = "HARNESS_BACKBONES";
/// Name of such a file beside a suite.
const BESIDE: &str = "backbones.yaml";
/// Prefix of the name of a repository.
pub(super) const HUB: &str = "hf:";

/// A file of aliases and the folder that its paths are relative to.
#[derive(Clone, Debug)]
struct AliasFile {
    base: PathBuf,
    aliases: Aliases,
}

/// Backbones by alias and on the hub.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    hub: Hub,
    /// In order of precedence.
    own: Vec<AliasFile>,
    embedded: Aliases,
}

impl Published {
    /// Only the built-in aliases.
    pub(crate) fn embedded() -> Self {
        Self {
            hub: Hub::from_environment(),
            own: Vec::new(),
            embedded: Aliases::embedded(),
        }
    }

    /// Aliases from `base`'s own file and the environment's, before the built-in ones.
    pub(crate) fn read(base: &Path) -> Result<Self, SuiteError> {
        let beside = Some(base.join(BESIDE)).filter(|path| path.is_file());
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let mut own = Vec::new();
        for path in beside.into_iter().chain(variable.map(PathBuf::from)) {
            own.push(AliasFile {
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

    /// One of the user's own aliases.
    pub(crate) fn of_user(&self, name: &str) -> Result<Location, LocationError> {
        let mut own = self.own.iter();
        let found = own.find_map(|own| Some((own, own.aliases.get(name)?)));
        let Some((own, entry)) = found else {
            return Ok(Location::Unknown);
        };
        match &entry.path {
            Some(path) => Ok(folder(name, own.base.join(path))),
            None => self.entry(name, entry),
        }
    }

    /// `hf:org/name@revision`, or a built-in alias.
    pub(crate) fn of_hub(&self, name: &str) -> Result<Location, LocationError> {
        if let Some(text) = name.strip_prefix(HUB) {
            let repo = Repo::parse(RepoKind::Model, text)?;
            return self.locate(name, Request::new(repo, backbone_files()));
        }
        match self.embedded.get(name) {
            Some(entry) => self.entry(name, entry),
            None => Ok(Location::Unknown),
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

    fn entry(&self, name: &str, entry: &BackboneEntry) -> Result<Location, LocationError> {
        let request = entry.request()?;
        let found = self.locate(name, request.clone())?;
        let Location::Found(folder) = &found else {
            return Ok(found);
        };
        if !entry.convert {
            return Ok(found);
        }
        let pickle = request
            .files
            .first()
            .map_or_else(String::new, |file| file.label());
        Ok(Location::Absent(Box::new(Absent {
            kind: InputKind::Backbone,
            name: name.to_owned(),
            advice: format!(
                "a pickle; run `harness convert {} -o FOLDER/model.safetensors`, copy its configuration to FOLDER, and name FOLDER in the suite",
                folder.join(pickle).display()
            ),
            files: Vec::new(),
            request: None,
        })))
    }

    fn locate(&self, name: &str, request: Request) -> Result<Location, LocationError> {
        let request = with_shards(&self.hub, request)?;
        let located = self.hub.locate(&request)?;
        if located.is_complete() {
            return Ok(Location::Found(located.folder));
        }
        let absent = Absent::on_hub(InputKind::Backbone, name, request, located);
        Ok(Location::Absent(Box::new(absent)))
    }
}

/// A folder that an alias names.
fn folder(name: &str, path: PathBuf) -> Location {
    match fs_err::canonicalize(&path) {
        Ok(path) if path.is_dir() => Location::Found(path),
        _ => Location::Absent(Box::new(Absent {
            kind: InputKind::Backbone,
            name: name.to_owned(),
            advice: "an alias of a folder that does not exist".to_owned(),
            files: vec![AbsentFile {
                name: "the folder".to_owned(),
                size: None,
                about: None,
                path: Some(path),
            }],
            request: None,
        })),
    }
}
