//! Finds everything that a suite's names may refer to.

use std::path::PathBuf;

use harness_abi::wire::{Descriptor, MethodCard, ModuleHeader};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gate::Gate;
use super::libraries::{self, Library, Origin, UnusablePlugin};
use super::scripts::{self, ScriptLookupError, UnreadScript};
use super::{LibraryError, ModuleFile, ModuleFileError, SearchPath};
use crate::job::{JobOutput, Work};
use crate::lock::{Lock, LockError, PluginSource};
use crate::plugin_ref::{PluginRef, file_name};
use crate::schedule::{Observer, Pool, PoolError, PoolTask, Silent, TaskError, TaskResult};
use crate::side_files::{self, SideFileError};
use crate::suite::{Known, KnownInputs, LookupError, MethodEntry};
use harness_store::{Store, sha256_file};

/// A plugin and its descriptor.
#[derive(Clone, Debug)]
pub struct RegisteredPlugin {
    /// The library, or the script that a library runs.
    pub path: PathBuf,
    pub reference: PluginRef,
    pub sha256: String,
    pub descriptor: Descriptor,
    origin: Origin,
    /// Whether only entries of methods that name the script use it.
    is_private: bool,
}

/// What a suite and the command line name beside the plugins that are always found.
#[derive(Clone, Debug, Default)]
pub struct NamedPlugins<'a> {
    /// Shared libraries, folders of them, and scripts.
    pub plugins: Vec<&'a str>,
    /// Scripts that entries of methods name for themselves.
    pub scripts: Vec<&'a str>,
    /// Interpreter of scripts that the command line names.
    pub python: Option<&'a str>,
    /// The suite's, which counts where the command line names none.
    pub python_of_suite: Option<&'a str>,
    /// What the suite was accepted with; none where there is no suite.
    pub lock: Option<&'a Lock>,
}

/// A library that has not been asked.
struct Unread {
    reference: PluginRef,
    /// Of the library.
    sha256: String,
    /// Of the script, if it is one.
    script_sha256: Option<String>,
    origin: Origin,
    is_private: bool,
}

/// What the store keeps of a plugin.
#[derive(Serialize, Deserialize)]
pub(super) enum Inspection {
    Described(Box<Descriptor>),
    /// It hung, and would again.
    NoAnswer {
        seconds: f64,
    },
    /// A script that was read; what it is depends on more than its own file.
    Read,
}

/// Backbones, data sets and methods by name.
#[derive(Clone, Debug)]
pub struct Registry {
    pub search_path: SearchPath,
    pub plugins: Vec<RegisteredPlugin>,
    pub broken: Vec<UnusablePlugin>,
}

impl RegisteredPlugin {
    /// Where it was found.
    pub fn source(&self) -> PluginSource {
        match self.origin {
            Origin::Suite => PluginSource::Suite,
            Origin::Environment => PluginSource::Environment,
            Origin::Executable => PluginSource::Harness,
        }
    }
}

impl Registry {
    /// Finds the plugins. Each is asked for its descriptor in a worker of its own, unless
    /// `store` has it. One that once gave no answer is asked again only if the suite names it.
    /// With a binding lock, no code of any other plugin runs.
    ///
    /// # Errors
    /// A named plugin is missing, one is not as it was locked, or no worker can be started.
    pub fn discover(
        search_path: SearchPath,
        named: &NamedPlugins<'_>,
        pool: &Pool<'_>,
        store: Option<&Store>,
        observer: &mut dyn Observer,
    ) -> Result<Self, RegistryError> {
        let mut registry = Self {
            plugins: Vec::new(),
            broken: Vec::new(),
            search_path,
        };
        let mut found = libraries::find(&registry.search_path, &named.plugins)?;
        let scripts = scripts::unread(&registry.search_path, named, &mut found);
        registry.broken = found.unusable;
        let digests: Vec<_> = found
            .usable
            .par_iter()
            .map(|library| sha256_file(&library.path))
            .collect();
        let mut unknown = Vec::new();
        let mut seen = Vec::new();
        let mut gate = Gate::new(named.lock, store);
        for (Library { path, origin }, sha256) in found.usable.into_iter().zip(digests) {
            let sha256 = match sha256 {
                Ok(sha256) => sha256,
                Err(error) => {
                    let reason = format!("cannot be read: {error}");
                    registry.broken.push(UnusablePlugin { path, reason });
                    continue;
                }
            };
            // The same library in two search_path is one plugin.
            if seen.contains(&sha256) {
                continue;
            }
            seen.push(sha256.clone());
            if !gate.admits(&path, &sha256, origin) {
                continue;
            }
            match store.and_then(|store| store.descriptor(&sha256)) {
                Some(Inspection::Described(descriptor)) => {
                    registry.plugins.push(RegisteredPlugin {
                        reference: PluginRef::library(path.clone()),
                        path,
                        sha256,
                        descriptor: *descriptor,
                        origin,
                        is_private: false,
                    });
                }
                Some(Inspection::NoAnswer { seconds }) if origin != Origin::Suite => {
                    let reason = format!(
                        "no answer within {seconds} s when it was last asked; it is asked again once it \
                         changes or the suite's `plugins` name it"
                    );
                    registry.broken.push(UnusablePlugin { path, reason });
                }
                _ => unknown.push(Unread {
                    reference: PluginRef::library(path),
                    sha256,
                    script_sha256: None,
                    origin,
                    is_private: false,
                }),
            }
        }
        for script in scripts {
            let UnreadScript { reference, .. } = &script;
            let (library, file) = (&reference.library, reference.file());
            let is_admitted = gate.admits(library, &script.library_sha256, Origin::Executable)
                & gate.admits(file, &script.sha256, script.origin);
            if is_admitted {
                unknown.push(Unread::from(script));
            }
        }
        gate.close(observer)?;
        registry.inspect(unknown, pool, store)?;
        // The order must not depend on what was in the store.
        registry.plugins.sort_by(|a, b| a.path.cmp(&b.path));
        registry.shadow(observer);
        Ok(registry)
    }

    fn inspect(
        &mut self,
        plugins: Vec<Unread>,
        pool: &Pool<'_>,
        store: Option<&Store>,
    ) -> Result<(), PoolError> {
        let task = |unread: &Unread| PoolTask {
            name: format!("inspect {}", unread.reference.file().display()),
            work: Work::Inspect {
                plugin: unread.reference.clone(),
            },
            needs: Vec::new(),
            log: None,
            weight: 1.0,
        };
        let tasks: Vec<PoolTask> = plugins.iter().map(task).collect();
        let results = pool.run(&tasks, &mut Silent, &mut |_, result| Ok(result))?;
        for (unread, result) in plugins.into_iter().zip(results) {
            let Unread {
                reference,
                sha256,
                script_sha256,
                origin,
                is_private,
            } = unread;
            let path = reference.file().to_owned();
            let inspected = descriptor(result);
            let inspection = match &inspected {
                Ok(_) if script_sha256.is_some() => Some(Inspection::Read),
                Ok(descriptor) => Some(Inspection::Described(Box::new(descriptor.clone()))),
                Err(DescriptorError::Worker(TaskError::TimedOut { seconds }))
                    if script_sha256.is_none() =>
                {
                    Some(Inspection::NoAnswer { seconds: *seconds })
                }
                Err(_) => None,
            };
            if let (Some(store), Some(inspection)) = (store, inspection) {
                let of = script_sha256.as_ref().unwrap_or(&sha256);
                store.put_descriptor(of, &inspection)?;
            }
            match inspected {
                Ok(descriptor) => {
                    let reference = reference.with_facts(descriptor.plugin.script.as_ref());
                    self.plugins.push(RegisteredPlugin {
                        path,
                        sha256: reference.sha256(&sha256),
                        reference,
                        descriptor,
                        origin,
                        is_private,
                    });
                }
                Err(error) => self.broken.push(UnusablePlugin {
                    path,
                    reason: error.to_string(),
                }),
            }
        }
        Ok(())
    }

    /// Drops plugins that another of the same name takes precedence over: a suite or the
    /// environment can replace what is beside the executable.
    fn shadow(&mut self, observer: &mut dyn Observer) {
        let all = self.plugins.clone();
        self.plugins.retain(|plugin| {
            let name = |plugin: &RegisteredPlugin| plugin.descriptor.plugin.name.clone();
            let preferred = all
                .iter()
                .find(|other| name(other) == name(plugin) && other.origin < plugin.origin);
            if let Some(preferred) = preferred {
                observer.warn(&format!(
                    "using the plugin {} instead of {}",
                    preferred.path.display(),
                    plugin.path.display()
                ));
            }
            preferred.is_none()
        });
    }

    /// Every method with this id, with its plugin.
    fn candidates(&self, id: &str) -> impl Iterator<Item = (&RegisteredPlugin, &MethodCard)> {
        let plugins = self.plugins.iter().filter(|plugin| !plugin.is_private);
        plugins.flat_map(move |plugin| {
            let cards = plugin.descriptor.methods.iter();
            cards
                .filter(move |card| card.id == id)
                .map(move |card| (plugin, card))
        })
    }

    /// The method of the script at a path in the suite.
    fn method_of_script(
        &self,
        id: &str,
        script: &str,
    ) -> Result<(&RegisteredPlugin, &MethodCard), ScriptLookupError> {
        let path = self.search_path.resolve(script);
        let path = fs_err::canonicalize(&path).unwrap_or(path);
        let plugin = self.plugins.iter().find(|plugin| plugin.path == path);
        let plugin = plugin.ok_or_else(|| scripts::why_unread(&path, &self.broken))?;
        let methods = &plugin.descriptor.methods;
        let card = methods.iter().find(|card| card.id == id);
        let card = card.ok_or_else(|| ScriptLookupError::NoMethod {
            script: file_name(&path),
            id: id.to_owned(),
            known: methods.iter().map(|card| card.id.clone()).collect(),
        })?;
        Ok((plugin, card))
    }

    /// The method of an entry, with its plugin.
    pub fn method_of(&self, entry: &MethodEntry) -> Option<(&RegisteredPlugin, &MethodCard)> {
        match &entry.python {
            Some(script) => self.method_of_script(&entry.id, script).ok(),
            None => self.method(&entry.id),
        }
    }

    /// The method with this id, with its plugin.
    pub fn method(&self, id: &str) -> Option<(&RegisteredPlugin, &MethodCard)> {
        self.candidates(id).next()
    }

    /// The module file at a path in the suite.
    ///
    /// # Errors
    /// The file cannot be read or is not a module file.
    pub fn module_file(&self, path: &str) -> Result<ModuleFile, ModuleFileError> {
        ModuleFile::read(&self.search_path.resolve(path))
    }

    /// A method's entry with the texts of the files that its configuration names.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(crate) fn with_side_files(
        &self,
        entry: &MethodEntry,
        card: &MethodCard,
    ) -> Result<MethodEntry, SideFileError> {
        let mut entry = entry.clone();
        let locate = |path: &str| self.search_path.resolve(path);
        side_files::resolve(&mut entry.config, &card.config_schema, locate)?;
        Ok(entry)
    }
}

impl From<UnreadScript> for Unread {
    fn from(script: UnreadScript) -> Self {
        Self {
            reference: script.reference,
            sha256: script.library_sha256,
            script_sha256: Some(script.sha256),
            origin: script.origin,
            is_private: script.is_private,
        }
    }
}

/// Why no registry could be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// Two plugins claim a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "method {id:?} is in two plugins, {} and {}; remove one of them",
    .first.display(), .second.display()
)]
pub struct DuplicateMethod {
    pub id: String,
    pub first: PathBuf,
    pub second: PathBuf,
}

/// Why a plugin's descriptor is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// The plugin does not load, or its worker failed.
    #[error(transparent)]
    Worker(#[from] TaskError),
    #[error("its descriptor is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("expected a descriptor from the worker, found {0:?}")]
    Unexpected(Box<JobOutput>),
}

impl KnownInputs for Registry {
    fn backbones(&self) -> Vec<String> {
        self.search_path.backbones()
    }

    fn has_backbone(&self, name: &str) -> Result<bool, LookupError> {
        self.search_path.has_backbone(name)
    }

    fn datasets(&self) -> Vec<String> {
        self.search_path.datasets()
    }

    fn has_dataset(&self, name: &str) -> Result<bool, LookupError> {
        self.search_path.has_dataset(name)
    }
}

impl Known for Registry {
    fn methods(&self) -> Vec<&str> {
        let public = self.plugins.iter().filter(|plugin| !plugin.is_private);
        let cards = public.flat_map(|plugin| &plugin.descriptor.methods);
        let mut ids: Vec<&str> = cards.map(|card| card.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn card(&self, id: &str, script: Option<&str>) -> Result<Option<&MethodCard>, LookupError> {
        if let Some(script) = script {
            let (_, card) = self.method_of_script(id, script)?;
            return Ok(Some(card));
        }
        let found: Vec<_> = self.candidates(id).collect();
        match found[..] {
            [] => Ok(None),
            [(_, card)] => Ok(Some(card)),
            [(first, _), (second, _), ..] => Err(Box::new(DuplicateMethod {
                id: id.to_owned(),
                first: first.path.clone(),
                second: second.path.clone(),
            })),
        }
    }

    fn module(&self, path: &str) -> Result<ModuleHeader, LookupError> {
        Ok(self.module_file(path)?.header)
    }

    fn side_file(&self, path: &str) -> Result<(), LookupError> {
        side_files::read(&self.search_path.resolve(path))?;
        Ok(())
    }

    fn module_files(&self, pattern: &str) -> Result<Vec<PathBuf>, LookupError> {
        Ok(self.search_path.files(pattern)?)
    }
}

fn descriptor(result: TaskResult) -> Result<Descriptor, DescriptorError> {
    match result.output()? {
        JobOutput::Inspected { descriptor } => Ok(serde_json::from_value(descriptor)?),
        other => Err(DescriptorError::Unexpected(Box::new(other))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use harness_abi::wire::PluginInfo;

    use super::*;

    fn plugin(path: &str, name: &str, origin: Origin) -> RegisteredPlugin {
        let card = serde_json::json!({
            "id": "coop", "title": "", "paper": "", "family": "input", "depth": "",
            "sites": [], "needs": [], "data": "features", "carried": [], "recomputed": [],
        });
        RegisteredPlugin {
            path: path.into(),
            reference: PluginRef::library(path.into()),
            sha256: path.to_owned(),
            descriptor: Descriptor {
                plugin: PluginInfo {
                    name: name.to_owned(),
                    version: String::new(),
                    license: String::new(),
                    sdk: String::new(),
                    rustc: String::new(),
                    abi: String::new(),
                    opt_level: None,
                    needs_abi: None,
                    script: None,
                },
                methods: vec![serde_json::from_value(card).unwrap()],
            },
            origin,
            is_private: false,
        }
    }

    fn registry(plugins: Vec<RegisteredPlugin>) -> Registry {
        let mut registry = Registry {
            search_path: SearchPath::at("".into(), "".into()),
            plugins,
            broken: Vec::new(),
        };
        registry.shadow(&mut Silent);
        registry
    }

    #[test]
    fn a_method_in_two_plugins_is_an_error_that_names_both() {
        let registry = registry(vec![
            plugin("/a.so", "mine", Origin::Suite),
            plugin("/b.so", "theirs", Origin::Executable),
        ]);
        let error = registry.card("coop", None).unwrap_err().to_string();
        assert!(error.contains("/a.so and /b.so"), "{error}");
    }

    #[test]
    fn a_plugin_of_the_suite_takes_precedence_over_one_beside_the_executable() {
        let registry = registry(vec![
            plugin("/a.so", "coop", Origin::Executable),
            plugin("/b.so", "coop", Origin::Suite),
        ]);
        let (plugin, _) = registry.method("coop").unwrap();
        assert_eq!(plugin.path, Path::new("/b.so"));
        assert!(registry.card("coop", None).unwrap().is_some());
    }
}
