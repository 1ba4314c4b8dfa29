//! Holds the names in a suite against what is there: methods, backbones, data
//! sets, configurations and recipes. Works on the tree, so that it can speak even
//! when the suite has other mistakes.

use std::collections::HashMap;

use harness_abi::wire::MethodCard;
use serde::Deserialize;

use super::module;
use super::shape;
use super::tree::Node;
use super::{Mistake, RecipeChoice};
use crate::registry::ModuleFile;

/// What the names in a suite may refer to.
pub trait Known {
    /// Ids of all methods.
    fn methods(&self) -> Vec<&str>;
    /// The method behind an id; `Ok(None)` if there is none.
    ///
    /// # Errors
    /// A sentence on why the id cannot be used, such as two plugins that claim it.
    fn card(&self, id: &str) -> Result<Option<&MethodCard>, String>;
    /// Names of the backbones that need no path.
    fn backbones(&self) -> Vec<&str>;
    /// Whether a name, path or repository leads to a backbone, on disk or not.
    ///
    /// # Errors
    /// A sentence on what is wrong with the name of a repository.
    fn has_backbone(&self, name: &str) -> Result<bool, String>;
    /// Names of the data sets that need no path.
    fn datasets(&self) -> Vec<&str>;
    /// Whether a name, path or repository leads to a data set, on disk or not.
    ///
    /// # Errors
    /// A sentence on what is wrong with a repository.
    fn has_dataset(&self, name: &str) -> Result<bool, String>;
    /// The module file at a path.
    ///
    /// # Errors
    /// A sentence on why it is none.
    fn module(&self, path: &str) -> Result<ModuleFile, String>;
}

/// Every name that leads nowhere and every pair that stands twice.
pub(crate) fn check(suite: &Node, known: &dyn Known) -> Vec<Mistake> {
    let mut found = Vec::new();
    found.extend(check_backbones(suite, &known.backbones(), &|name| {
        known.has_backbone(name)
    }));
    pairs(suite, &mut found);
    methods(suite, known, &mut found);
    found.extend(check_datasets(suite, &known.datasets(), &|name| {
        known.has_dataset(name)
    }));
    datasets(suite, &mut found);
    found
}

/// Labels that stand twice, and templates without a place for the class name.
fn datasets(suite: &Node, found: &mut Vec<Mistake>) {
    let mut labels: HashMap<&str, &Node> = HashMap::new();
    for entry in items(suite, "datasets") {
        let node = entry.get("name").unwrap_or(entry);
        let Some(name) = node.as_str().filter(|name| !name.is_empty()) else {
            continue;
        };
        let label_node = entry.get("label").unwrap_or(node);
        let label = label_node.as_str().unwrap_or(name);
        match labels.get(label) {
            None => drop(labels.insert(label, entry)),
            // Twice the same is already a duplicate entry of the list.
            Some(first) if first.to_json() == entry.to_json() => {}
            Some(first) => found.push(
                Mistake::new(
                    label_node.mark,
                    format!(
                        "duplicate label {label:?}, first on line {}",
                        first.mark.line
                    ),
                )
                .hint("give each entry a `label` of its own"),
            ),
        }
        for template in items(entry, "templates") {
            let count = template.as_str().map(|text| text.matches("{}").count());
            if count.is_some_and(|count| count != 1) {
                let message = "a template needs one {} for the class name";
                found.push(Mistake::new(template.mark, message));
            }
        }
    }
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}

fn unknown(kind: &str, name: &str, node: &Node, known: Vec<&str>) -> Mistake {
    Mistake::new(node.mark, format!("unknown {kind} {name:?}")).meant(name, known)
}

/// Every source and target that leads nowhere.
pub(crate) fn check_backbones(
    suite: &Node,
    known: &[&str],
    has: &dyn Fn(&str) -> Result<bool, String>,
) -> Vec<Mistake> {
    let names = backbones(suite);
    let mistakes = names.filter_map(|(name, node)| match has(name) {
        Ok(true) => None,
        Ok(false) => Some(unknown("backbone", name, node, known.to_vec())),
        Err(reason) => Some(Mistake::new(node.mark, reason)),
    });
    mistakes.collect()
}

/// Every data set that leads nowhere.
pub(crate) fn check_datasets(
    suite: &Node,
    known: &[&str],
    has: &dyn Fn(&str) -> Result<bool, String>,
) -> Vec<Mistake> {
    let mut found = Vec::new();
    for entry in items(suite, "datasets") {
        let node = entry.get("name").unwrap_or(entry);
        if let Some(name) = node.as_str().filter(|name| !name.is_empty()) {
            match has(name) {
                Ok(true) => {}
                Ok(false) => found.push(unknown("data set", name, node, known.to_vec())),
                Err(reason) => found.push(Mistake::new(node.mark, reason)),
            }
        }
        // May also name another entry by its label, or nothing at all.
        let base = entry.get("shift_of");
        if let Some((node, name)) = base.and_then(|node| Some((node, node.as_str()?)))
            && let Err(reason) = has(name)
        {
            found.push(Mistake::new(node.mark, reason));
        }
    }
    found
}

/// Sources and targets where they stand.
pub(crate) fn backbones(suite: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let nodes = items(suite, "upgrades").iter().flat_map(|upgrade| {
        let source = upgrade.get("source").into_iter();
        source.chain(items(upgrade, "targets"))
    });
    nodes.filter_map(|node| {
        let name = node.as_str().filter(|name| !name.is_empty())?;
        Some((name, node))
    })
}

/// Every upgrade that stands twice.
fn pairs(suite: &Node, found: &mut Vec<Mistake>) {
    let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
    for upgrade in items(suite, "upgrades") {
        let Some(source) = upgrade.get("source").and_then(Node::as_str) else {
            continue;
        };
        let mut here = Vec::new();
        for node in items(upgrade, "targets") {
            let Some(target) = node.as_str() else {
                continue;
            };
            if let Some(line) = pairs.get(&(source, target)) {
                found.push(Mistake::new(
                    node.mark,
                    format!("duplicate upgrade {source} → {target}, first on line {line}"),
                ));
            }
            here.push(((source, target), node.mark.line));
        }
        // Twice in one list is already a duplicate entry of that list.
        for (pair, line) in here {
            pairs.entry(pair).or_insert(line);
        }
    }
}

fn methods(suite: &Node, known: &dyn Known, found: &mut Vec<Mistake>) {
    let mut labels: HashMap<&str, usize> = HashMap::new();
    recipe_values(suite.get("recipe"), found);
    for entry in items(suite, "methods") {
        let id_node = entry.get("id").unwrap_or(entry);
        let Some(id) = id_node.as_str().filter(|id| !id.is_empty()) else {
            continue;
        };
        let label_node = entry.get("label").unwrap_or(id_node);
        if let Some(label) = label_node.as_str() {
            match labels.get(label) {
                None => drop(labels.insert(label, label_node.mark.line)),
                Some(line) => found.push(
                    Mistake::new(
                        label_node.mark,
                        format!("duplicate label {label:?}, first on line {line}"),
                    )
                    .hint("give each entry a `label` of its own"),
                ),
            }
        }
        match known.card(id) {
            Err(reason) => found.push(Mistake::new(id_node.mark, reason)),
            Ok(None) => found.push(unknown("method", id, id_node, known.methods())),
            Ok(Some(card)) => {
                if let Some(config) = entry.get("config") {
                    found.extend(shape::check(config, &card.config_schema, "\"config\""));
                }
                found.extend(module::check(suite, entry, id, known));
                recipe_values(entry.get("recipe"), found);
            }
        }
    }
}

/// Values that no recipe can have. Unknown keys and types are a matter of shape.
fn recipe_values(recipe: Option<&Node>, found: &mut Vec<Mistake>) {
    let Some(recipe) = recipe else {
        return;
    };
    if let Ok(choice) = RecipeChoice::deserialize(recipe.to_json())
        && let Err(error) = choice.check()
    {
        found.push(Mistake::new(recipe.mark, error.to_string()));
    }
}
