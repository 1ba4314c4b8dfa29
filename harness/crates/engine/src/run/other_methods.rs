//! Methods that are run in place of a suite's own, without editing it.

use std::path::PathBuf;

use harness_report::shell::{quote, quote_path};

use super::error::RunError;
use crate::registry::Registry;
use harness_abi::wire::MethodCard;

use crate::suite::{Known, MethodEntry, Suite, closest};

/// Plugins and methods in addition to, and in place of, those of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherMethods {
    /// Shared libraries or folders of them. Absolute.
    pub plugins: Vec<PathBuf>,
    /// Ids or labels; none: all methods of `plugins`.
    pub methods: Vec<String>,
}

impl OtherMethods {
    /// The plugins as the registry takes them.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.plugins.iter().filter_map(|path| path.to_str())
    }

    /// The options of the command line, as a shell takes them.
    pub(super) fn arguments(&self) -> String {
        let plugins = self
            .plugins
            .iter()
            .map(|path| (" --plugin ", quote_path(path)));
        let methods = self.methods.iter().map(|name| (" --method ", quote(name)));
        let options = plugins.chain(methods);
        options
            .map(|(option, value)| format!("{option}{value}"))
            .collect()
    }

    /// The suite with these methods, if any. Rows of the suite with the label or, if there is
    /// none, the id of a method keep their options.
    ///
    /// # Errors
    /// No plugin has one of the methods.
    pub(super) fn replace(&self, suite: Suite, registry: &Registry) -> Result<Suite, RunError> {
        let ids = match self.methods.is_empty() {
            false => self.methods.clone(),
            true => self.of_plugins(registry),
        };
        if ids.is_empty() {
            return Ok(suite);
        }
        let mut methods: Vec<MethodEntry> = Vec::new();
        for id in &ids {
            let labelled = |entry: &&MethodEntry| entry.label == *id;
            let with_id = |entry: &&MethodEntry| entry.id == *id;
            let of_suite = || suite.methods.iter();
            let rows: Vec<&MethodEntry> = match of_suite().any(|entry| labelled(&entry)) {
                true => of_suite().filter(labelled).collect(),
                false => of_suite().filter(with_id).collect(),
            };
            match rows[..] {
                [] if registry.method(id).is_none() => {
                    return Err(RunError::NoSuchMethod {
                        id: id.clone(),
                        meant: closest(id, &registry.methods()).map(str::to_owned),
                    });
                }
                [] => methods.push(MethodEntry {
                    python: self.script_with(id, registry),
                    ..MethodEntry::named(id)
                }),
                _ => methods.extend(rows.into_iter().cloned()),
            }
        }
        let mut seen = Vec::new();
        methods.retain(|entry| {
            let is_new = !seen.contains(&entry.label);
            seen.push(entry.label.clone());
            is_new
        });
        Ok(Suite { methods, ..suite })
    }

    /// The script among the plugins that has a method of this id.
    fn script_with(&self, id: &str, registry: &Registry) -> Option<String> {
        let plugins = registry.plugins.iter();
        let mut scripts = plugins.filter(|plugin| {
            let has = |card: &MethodCard| card.id == id;
            plugin.reference.script.is_some()
                && self.plugins.contains(&plugin.path)
                && plugin.descriptor.methods.iter().any(has)
        });
        Some(scripts.next()?.path.to_str()?.to_owned())
    }

    fn of_plugins(&self, registry: &Registry) -> Vec<String> {
        let canonical = self.plugins.iter();
        let canonical = canonical.filter_map(|path| fs_err::canonicalize(path).ok());
        let paths: Vec<PathBuf> = canonical.collect();
        let is_named = |path: &PathBuf| {
            let folder = path.parent();
            paths
                .iter()
                .any(|named| named == path || Some(named.as_path()) == folder)
        };
        let plugins = registry.plugins.iter();
        let plugins = plugins.filter(|plugin| is_named(&plugin.path));
        let cards = plugins.flat_map(|plugin| &plugin.descriptor.methods);
        cards.map(|card| card.id.clone()).collect()
    }
}
