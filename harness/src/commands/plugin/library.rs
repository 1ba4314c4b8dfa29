//! A plugin's library that the command line names, and workers for it.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness_engine::cards::MethodCard;
use harness_engine::job::Draw;
use harness_engine::plugin_check::Inputs;
use harness_engine::registry::{NamedPlugins, RegisteredPlugin, Registry, SearchPath};
use harness_engine::schedule::Pool;
use harness_report::{ExitCode, Seeds};
use harness_store::Store;

use crate::cli::{TrialDraw, TrialPlace};
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::Reporter;
use crate::settings::{interpreter, places, worker_command};

/// A library whose descriptor was read.
pub(super) struct Library {
    pub(super) plugin: RegisteredPlugin,
    search_path: SearchPath,
    store: Store,
    cancel: &'static AtomicBool,
}

impl Library {
    pub(super) fn open(path: &Path, place: &TrialPlace) -> Result<Self, Failure> {
        Self::open_until(path, place, interrupt::watch()?)
    }

    /// Opens with signals that are watched already.
    pub(super) fn open_until(
        path: &Path,
        place: &TrialPlace,
        cancel: &'static AtomicBool,
    ) -> Result<Self, Failure> {
        let shown = path.display();
        let library = path
            .canonicalize()
            .map_err(|error| set_up(format!("{shown}: {error}")))?;
        let Some(named) = library.to_str() else {
            return Err(set_up(format!("{shown}: expected a path in UTF-8")));
        };
        let store = Store::open(place.store.clone())
            .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
        let pool = pool(&store, place, cancel)?;
        let mut reporter = Reporter::new();
        let python = place.python.as_deref().map(interpreter);
        let named = NamedPlugins {
            plugins: vec![named],
            python: python.as_deref(),
            ..NamedPlugins::default()
        };
        let found = Registry::discover(places()?, &named, &pool, None, &mut reporter);
        reporter.finish();
        let mut registry = found.map_err(set_up)?;
        if let Some(broken) = registry.broken.iter().find(|b| b.path == library) {
            return Err(set_up(format!("cannot use {shown}: {}", broken.reason)));
        }
        let at = registry.plugins.iter().position(|p| p.path == library);
        let at = at.ok_or_else(|| set_up(format!("{shown}: not found among the plugins")))?;
        Ok(Self {
            plugin: registry.plugins.swap_remove(at),
            search_path: registry.search_path,
            store,
            cancel,
        })
    }

    pub(super) fn inputs(&self, place: &TrialPlace) -> Result<Inputs, Failure> {
        let upgrade = (place.source.as_str(), place.target.as_str());
        Inputs::find(&self.search_path, upgrade, &place.dataset).map_err(set_up)
    }

    pub(super) fn pool(&self, place: &TrialPlace) -> Result<Pool<'static>, Failure> {
        pool(&self.store, place, self.cancel)
    }
}

fn pool(
    store: &Store,
    place: &TrialPlace,
    cancel: &'static AtomicBool,
) -> Result<Pool<'static>, Failure> {
    Ok(Pool {
        command: worker_command()?,
        jobs: 1,
        devices: Vec::new(),
        time_limit: Duration::from_secs(place.time_limit),
        store: store.root().to_owned(),
        cancel,
    })
}

/// The card of a method, or of the only one.
pub(super) fn card<'p>(
    plugin: &'p RegisteredPlugin,
    id: Option<&str>,
) -> Result<&'p MethodCard, Failure> {
    let methods = &plugin.descriptor.methods;
    let names = || {
        let names: Vec<&str> = methods.iter().map(|card| card.id.as_str()).collect();
        names.join(", ")
    };
    match (id, methods.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(
            set_up(format!("the plugin has several methods: {}", names()))
                .hint("--method names one of them"),
        ),
        (Some(id), _) => methods
            .iter()
            .find(|card| card.id == id)
            .ok_or_else(|| set_up(format!("the plugin has no method {id:?}, only {}", names()))),
    }
}

/// The images that the options ask for.
pub(super) fn draw(wanted: &TrialDraw) -> Draw {
    Draw::new(wanted.shots, Seeds::from(wanted.seed))
}

pub(super) fn set_up(error: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::SetUp, error)
}
