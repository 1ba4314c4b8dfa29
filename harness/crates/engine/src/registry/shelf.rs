//! Everything that a suite's names may refer to.

use std::path::{Path, PathBuf};

use harness_abi::wire::{Descriptor, MethodCard};

use super::libraries::{self, Origin};
use super::module::ModuleFile;
use super::{DatasetPlace, LibraryError, Places};
use crate::job::{JobOutput, Work};
use crate::schedule::{Observer, Pool, PoolError, PoolTask, Silent, TaskResult};
use crate::suite::Known;
use harness_store::{Store, sha256_file};

/// A plugin and what it says of itself.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub path: PathBuf,
    pub sha256: String,
    pub descriptor: Descriptor,
    origin: Origin,
}

/// A library that was found and could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub path: PathBuf,
    pub reason: String,
}

/// Backbones, data sets and methods by name.
#[derive(Clone, Debug)]
pub struct Registry {
    pub places: Places,
    pub plugins: Vec<Plugin>,
    pub broken: Vec<Broken>,
    backbones: Vec<String>,
    datasets: Vec<String>,
}

impl Registry {
    /// Looks everything up. Plugins are asked for their descriptors, each in a
    /// worker of its own, unless `store` remembers the answer.
    ///
    /// # Errors
    /// A named plugin is missing, or no worker can be started.
    pub fn discover(
        places: Places,
        named: &[&str],
        pool: &Pool<'_>,
        store: Option<&Store>,
        observer: &mut dyn Observer,
    ) -> Result<Self, RegistryError> {
        let mut registry = Self {
            backbones: places.backbones(),
            datasets: datasets(&places),
            plugins: Vec::new(),
            broken: Vec::new(),
            places,
        };
        let mut unknown = Vec::new();
        let mut seen = Vec::new();
        for libraries::Library { path, origin } in libraries::find(&registry.places, named)? {
            let sha256 = sha256_file(&path).map_err(|source| LibraryError::Read {
                path: path.clone(),
                source,
            })?;
            // The same library in two places is one plugin.
            if seen.contains(&sha256) {
                continue;
            }
            seen.push(sha256.clone());
            match store.and_then(|store| store.descriptor(&sha256)) {
                Some(descriptor) => registry.plugins.push(Plugin {
                    path,
                    sha256,
                    descriptor,
                    origin,
                }),
                None => unknown.push((path, sha256, origin)),
            }
        }
        registry.inspect(unknown, pool, store)?;
        // The order must not depend on what was remembered.
        registry.plugins.sort_by(|a, b| a.path.cmp(&b.path));
        registry.shadow(observer);
        Ok(registry)
    }

    fn inspect(
        &mut self,
        libraries: Vec<(PathBuf, String, Origin)>,
        pool: &Pool<'_>,
        store: Option<&Store>,
    ) -> Result<(), PoolError> {
        let task = |(path, ..): &(PathBuf, String, Origin)| PoolTask {
            name: format!("inspect {}", path.display()),
            work: Work::Inspect {
                plugin: path.clone(),
            },
            needs: Vec::new(),
            weight: 1.0,
        };
        let tasks: Vec<PoolTask> = libraries.iter().map(task).collect();
        let results = pool.run(&tasks, &mut Silent, &mut |_, result| Ok(result))?;
        for ((path, sha256, origin), result) in libraries.into_iter().zip(results) {
            match descriptor(result) {
                Ok(descriptor) => {
                    if let Some(store) = store {
                        store.put_descriptor(&sha256, &descriptor)?;
                    }
                    self.plugins.push(Plugin {
                        path,
                        sha256,
                        descriptor,
                        origin,
                    });
                }
                Err(reason) => self.broken.push(Broken { path, reason }),
            }
        }
        Ok(())
    }

    /// Drops a plugin where one of the same name comes from a nearer place: a suite
    /// or the environment can stand in for what lies beside the executable.
    fn shadow(&mut self, observer: &mut dyn Observer) {
        let all = self.plugins.clone();
        self.plugins.retain(|plugin| {
            let name = |plugin: &Plugin| plugin.descriptor.plugin.name.clone();
            let nearer = all
                .iter()
                .find(|other| name(other) == name(plugin) && other.origin < plugin.origin);
            if let Some(nearer) = nearer {
                observer.warn(&format!(
                    "{} is used instead of {}",
                    nearer.path.display(),
                    plugin.path.display()
                ));
            }
            nearer.is_none()
        });
    }

    /// The plugins that have a method of this id, with the method.
    fn candidates(&self, id: &str) -> impl Iterator<Item = (&Plugin, &MethodCard)> {
        self.plugins.iter().flat_map(move |plugin| {
            let cards = plugin.descriptor.methods.iter();
            cards
                .filter(move |card| card.id == id)
                .map(move |card| (plugin, card))
        })
    }

    /// The method of this id and the plugin that has it.
    pub fn method(&self, id: &str) -> Option<(&Plugin, &MethodCard)> {
        self.candidates(id).next()
    }
}

/// Why nothing could be looked up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl Known for Registry {
    fn methods(&self) -> Vec<&str> {
        let cards = self
            .plugins
            .iter()
            .flat_map(|plugin| &plugin.descriptor.methods);
        let mut ids: Vec<&str> = cards.map(|card| card.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn card(&self, id: &str) -> Result<Option<&MethodCard>, String> {
        let found: Vec<_> = self.candidates(id).collect();
        match found[..] {
            [] => Ok(None),
            [(_, card)] => Ok(Some(card)),
            [(first, _), (second, _), ..] => Err(format!(
                "method {id:?} is in two plugins, {} and {}; remove one of them",
                first.path.display(),
                second.path.display()
            )),
        }
    }

    fn backbones(&self) -> Vec<&str> {
        self.backbones.iter().map(String::as_str).collect()
    }

    fn has_backbone(&self, name: &str) -> Result<bool, String> {
        self.places.has_backbone(name)
    }

    fn datasets(&self) -> Vec<&str> {
        self.datasets.iter().map(String::as_str).collect()
    }

    fn has_dataset(&self, name: &str) -> Result<bool, String> {
        Ok(self.places.dataset(name)? != DatasetPlace::Nowhere)
    }

    fn module(&self, path: &str) -> Result<ModuleFile, String> {
        ModuleFile::read(&self.places.beside(path))
    }
}

/// Names of data sets that come along and of known ones.
pub(crate) fn datasets(places: &Places) -> Vec<String> {
    let known = harness_data::KnownDataset::all().iter();
    let mut names = places.datasets();
    names.extend(known.map(|known| known.name.clone()));
    names
}

fn descriptor(result: TaskResult) -> Result<Descriptor, String> {
    match result.output().map_err(|error| error.to_string())? {
        JobOutput::Inspected { descriptor } => serde_json::from_value(descriptor)
            .map_err(|error| format!("its descriptor is not one of ours: {error}")),
        other => Err(format!("the worker answered {other:?}")),
    }
}

/// File name of a library, for people.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use harness_abi::wire::PluginInfo;

    use super::*;

    fn plugin(path: &str, name: &str, origin: Origin) -> Plugin {
        let card = serde_json::json!({
            "id": "coop", "title": "", "paper": "", "family": "input", "depth": "",
            "sites": [], "needs": [], "data": "features", "carried": [], "recomputed": [],
        });
        Plugin {
            path: path.into(),
            sha256: path.to_owned(),
            descriptor: Descriptor {
                plugin: PluginInfo {
                    name: name.to_owned(),
                    version: String::new(),
                    license: String::new(),
                    sdk: String::new(),
                    rustc: String::new(),
                    abi: String::new(),
                },
                methods: vec![serde_json::from_value(card).unwrap()],
            },
            origin,
        }
    }

    fn registry(plugins: Vec<Plugin>) -> Registry {
        let mut registry = Registry {
            places: Places::at("".into(), "".into()),
            plugins,
            broken: Vec::new(),
            backbones: Vec::new(),
            datasets: Vec::new(),
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
        let error = registry.card("coop").unwrap_err();
        assert!(error.contains("/a.so and /b.so"), "{error}");
    }

    #[test]
    fn the_same_plugin_from_a_nearer_place_stands_in() {
        let registry = registry(vec![
            plugin("/a.so", "coop", Origin::Executable),
            plugin("/b.so", "coop", Origin::Suite),
        ]);
        let (plugin, _) = registry.method("coop").unwrap();
        assert_eq!(plugin.path, Path::new("/b.so"));
        assert!(registry.card("coop").unwrap().is_some());
    }
}
