//! Reads every plugin's descriptor and asks what its methods would train.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use harness_engine::cards::{Count, MethodCard, counts, dims};
use harness_engine::registry::{NamedPlugins, RegisteredPlugin, Registry, UnusablePlugin};
use harness_engine::schedule::Pool;
use harness_report::ExitCode;
use harness_store::Store;

use crate::failure::Failure;
use crate::progress::Reporter;
use crate::settings::{interpreter, places, worker_command};
use crate::thousands::thousands;

/// Classes and images per class that class-bound methods are counted with: ImageNet's
/// few-shot draw.
pub(crate) const CLASSES: usize = 1000;
pub(crate) const SHOTS: usize = 16;

/// Every method that was found.
pub(crate) struct Cards {
    /// In the order of the methods' ids.
    pub(crate) entries: Vec<Entry>,
    /// The names of the dimensions that methods are counted at.
    pub(crate) dims: Vec<String>,
    pub(crate) broken: Vec<UnusablePlugin>,
}

/// A method with its plugin.
pub(crate) struct Entry {
    pub(crate) card: MethodCard,
    pub(crate) plugin: RegisteredPlugin,
    /// One for each of the dimensions.
    pub(crate) counts: Vec<Option<Count>>,
}

impl Cards {
    /// Asks the plugins in the usual places, and a library or folder of them where
    /// one is `named`. `at` are names of dimensions: `b16`, `l14` or a backbone.
    pub(crate) fn gather(named: Option<&str>, at: &[String]) -> Result<Self, Failure> {
        let never = AtomicBool::new(false);
        let pool = Pool {
            command: worker_command()?,
            jobs: 1,
            devices: Vec::new(),
            time_limit: Duration::from_secs(60),
            store: std::env::temp_dir(),
            cancel: &never,
        };
        let set_up = |error: &dyn std::fmt::Display| Failure::new(ExitCode::SetUp, error);
        let python = std::env::var_os("HARNESS_PYTHON");
        let python = python.map(|named| interpreter(Path::new(&named)));
        let named = NamedPlugins {
            plugins: named.into_iter().collect(),
            python: python.as_deref(),
            ..NamedPlugins::default()
        };
        let mut reporter = Reporter::new();
        let places = places()?;
        let store = Store::existing();
        let found = Registry::discover(places, &named, &pool, store.as_ref(), &mut reporter);
        reporter.finish();
        let registry = found.map_err(|error| set_up(&error))?;
        let plugins: Vec<&RegisteredPlugin> = registry.plugins.iter().collect();
        let mut columns = Vec::new();
        for name in at {
            let dims = dims(&registry.search_path, name).map_err(|error| set_up(&error))?;
            let counted = counts(&plugins, (name, &dims), (CLASSES, SHOTS), &pool);
            columns.push(counted.map_err(|error| set_up(&error))?);
        }
        let entries = plugins.iter().flat_map(|plugin| {
            let cards = plugin.descriptor.methods.iter();
            cards.map(|card| Entry {
                card: card.clone(),
                plugin: RegisteredPlugin::clone(plugin),
                counts: columns.iter().map(|c| c.get(&card.id).cloned()).collect(),
            })
        });
        let mut entries: Vec<Entry> = entries.collect();
        entries.sort_by(|a, b| a.card.id.cmp(&b.card.id));
        Ok(Self {
            entries,
            dims: at.to_vec(),
            broken: registry.broken,
        })
    }
}

impl Entry {
    /// Trained numbers at one of the dimensions, with what they depend on.
    pub(crate) fn count(&self, at: usize) -> String {
        match self.counts.get(at).and_then(Option::as_ref) {
            None => "unknown".to_owned(),
            Some(Count { trained: None, .. }) => "not injectable".to_owned(),
            Some(Count {
                trained: Some(trained),
                per_class,
                per_image,
            }) => {
                let bound = if *per_class || *per_image { "*" } else { "" };
                format!("{}{bound}", thousands(*trained))
            }
        }
    }
}
