//! A suite's document and the plugins that are there, before names are looked up.

use std::time::Duration;

use super::error::RunError;
use super::machine;
use super::setup::Settings;
use crate::lock::Lock;
use crate::registry::{NamedPlugins, Registry, SearchPath};
use crate::schedule::{Observer, Pool};
use crate::suite::{Document, SuiteError};
use harness_store::Store;

/// Time a plugin may take to return its descriptor.
const INSPECTION: Duration = Duration::from_secs(60);

/// What a suite's names are looked up in.
pub(crate) struct Discovered<'a> {
    pub(crate) document: Document,
    pub(crate) registry: Registry,
    pub(crate) store: Store,
    pub(crate) pool: Pool<'a>,
}

impl<'a> Discovered<'a> {
    pub(crate) fn new(
        settings: &Settings<'a>,
        observer: &mut dyn Observer,
    ) -> Result<Self, RunError> {
        let document = match &settings.text {
            Some(text) => Document::parse(&settings.suite, text.clone().into_bytes())
                .map_err(SuiteError::from)?,
            None => Document::read(&settings.suite)?,
        };
        let store = Store::open(settings.store.clone())?;
        let pool = Pool {
            command: settings.command.clone(),
            jobs: settings.jobs.unwrap_or_else(machine::cores),
            devices: Vec::new(),
            time_limit: INSPECTION,
            store: store.root().to_owned(),
            cancel: settings.cancel,
        };
        let search_path = SearchPath::of_suite(&settings.suite)
            .with_data(settings.data.as_deref(), document.data())
            .with_digests(store.root().join("digests"))
            .with_rehash(settings.rehash)
            .with_aliases()?;
        let mut named = match settings.suite_plugins {
            true => NamedPlugins {
                plugins: document.plugins(),
                scripts: document.scripts(),
                python_of_suite: document.python(),
                ..NamedPlugins::default()
            },
            false => NamedPlugins::default(),
        };
        named.plugins.extend(settings.other_methods.named());
        named.python = settings.python.as_deref();
        let lock = Lock::of_suite(&settings.suite, settings.is_locked)?;
        named.lock = Some(&lock);
        let registry = Registry::discover(search_path, &named, &pool, Some(&store), observer)?;
        for broken in &registry.broken {
            observer.warn(&format!(
                "cannot use the plugin {}: {}",
                broken.path.display(),
                broken.reason
            ));
        }
        if registry.plugins.is_empty() && registry.broken.is_empty() {
            observer.warn(
                "no plugin was found beside the executable, in HARNESS_PLUGIN_PATH or in the suite; `cargo build` makes the ones that come with the harness",
            );
        }
        Ok(Self {
            document,
            registry,
            store,
            pool,
        })
    }
}
