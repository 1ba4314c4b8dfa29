//! Everything that a suite's names may refer to.

use std::path::{Path, PathBuf};

use harness_abi::wire::{Descriptor, MethodCard};

use super::{LibraryError, Places, libraries};
use crate::job::{Output, Work};
use crate::schedule::{Observer, Pool, PoolError, Task, TaskResult};
use crate::store::{Store, sha256_file};
use crate::suite::Known;

/// A plugin and what it says of itself.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub path: PathBuf,
    pub sha256: String,
    pub descriptor: Descriptor,
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
            datasets: places.datasets(),
            plugins: Vec::new(),
            broken: Vec::new(),
            places,
        };
        let mut unknown = Vec::new();
        let mut seen = Vec::new();
        for path in libraries::find(&registry.places, named)? {
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
                }),
                None => unknown.push((path, sha256)),
            }
        }
        registry.inspect(unknown, pool, store, observer)?;
        // The order must not depend on what was remembered.
        registry.plugins.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(registry)
    }

    fn inspect(
        &mut self,
        libraries: Vec<(PathBuf, String)>,
        pool: &Pool<'_>,
        store: Option<&Store>,
        observer: &mut dyn Observer,
    ) -> Result<(), PoolError> {
        let task = |(path, _): &(PathBuf, String)| Task {
            name: format!("inspect {}", path.display()),
            work: Work::Inspect {
                plugin: path.clone(),
            },
            needs: Vec::new(),
            weight: 1.0,
        };
        let tasks: Vec<Task> = libraries.iter().map(task).collect();
        let results = pool.run(&tasks, observer, &mut |_, result| Ok(result))?;
        for ((path, sha256), result) in libraries.into_iter().zip(results) {
            match descriptor(result) {
                Ok(descriptor) => {
                    if let Some(store) = store {
                        store.put_descriptor(&sha256, &descriptor)?;
                    }
                    self.plugins.push(Plugin {
                        path,
                        sha256,
                        descriptor,
                    });
                }
                Err(reason) => self.broken.push(Broken { path, reason }),
            }
        }
        Ok(())
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

    fn has_backbone(&self, name: &str) -> bool {
        self.places.backbone(name).is_some()
    }

    fn datasets(&self) -> Vec<&str> {
        self.datasets.iter().map(String::as_str).collect()
    }

    fn has_dataset(&self, name: &str) -> bool {
        self.places.dataset(name).is_some()
    }
}

fn descriptor(result: TaskResult) -> Result<Descriptor, String> {
    match result {
        TaskResult::Finished { output, .. } => match *output {
            Output::Inspected { descriptor } => serde_json::from_value(descriptor)
                .map_err(|error| format!("its descriptor is not one of ours: {error}")),
            other => Err(format!("the worker answered {other:?}")),
        },
        TaskResult::Failed { message, .. } | TaskResult::Crashed { message, .. } => Err(message),
        TaskResult::NotInjectable { reason } => Err(reason),
        TaskResult::TimedOut { seconds, .. } => Err(format!("no answer within {seconds} s")),
        TaskResult::Blocked { .. } | TaskResult::NotRun => Err("interrupted".to_owned()),
    }
}

/// File name of a library, for people.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
