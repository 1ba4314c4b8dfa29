//! `harness list methods --json`.

use std::collections::BTreeMap;

use harness_engine::cards::{Count, MethodCard};
use serde::Serialize;

use super::gather::Cards;

/// A method with its card and what it trains.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ListedMethod<'a> {
    /// What the plugin says of it.
    card: &'a MethodCard,
    plugin: &'a str,
    plugin_sha256: &'a str,
    /// By the names of the dimensions.
    parameters: BTreeMap<&'a str, ListedCount>,
}

/// Trained numbers, with 1000 classes of 16 images where these decide.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListedCount {
    /// Null if it cannot be injected.
    trained: Option<u64>,
    per_class: bool,
    per_image: bool,
}

/// Every method, by id.
pub(crate) fn listed(cards: &Cards) -> Vec<ListedMethod<'_>> {
    let methods = cards.entries.iter().map(|entry| {
        let counts = cards.dims.iter().zip(&entry.counts);
        let counts = counts.filter_map(|(dims, count)| {
            let Count {
                trained,
                per_class,
                per_image,
            } = count.clone()?;
            let count = ListedCount {
                trained,
                per_class,
                per_image,
            };
            Some((dims.as_str(), count))
        });
        ListedMethod {
            card: &entry.card,
            plugin: &entry.plugin.descriptor.plugin.name,
            plugin_sha256: &entry.plugin.sha256,
            parameters: counts.collect(),
        }
    });
    methods.collect()
}
