//! Checks the names in a suite: methods, backbones, data sets, and the configurations
//! of methods. Works on the tree, so that it reports even when the suite has
//! other mistakes.

use std::collections::HashMap;

use harness_abi::wire::MethodCard;

use super::module;
use super::shape;
use super::tree::Node;
use super::{Known, KnownInputs, Mistake, hint};

/// Every unknown name and every duplicate.
pub(super) fn check(suite: &Node, known: &dyn Known) -> Vec<Mistake> {
    let mut found = Vec::new();
    found.extend(check_backbones(suite, known));
    pairs(suite, &mut found);
    methods(suite, known, &mut found);
    found.extend(module::required(suite));
    found.extend(module::check_files(suite, known));
    found.extend(check_datasets(suite, known));
    datasets(suite, &mut found);
    found
}

/// Duplicate labels, and templates without a `{}` for the class name.
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
                .hint("give each entry its own `label`"),
            ),
        }
        for template in items(entry, "templates") {
            let count = template.as_str().map(|text| text.matches("{}").count());
            if count.is_some_and(|count| count != 1) {
                let message = "expected exactly one {} for the class name in the template";
                found.push(Mistake::new(template.mark, message));
            }
        }
    }
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}

fn unknown<'a>(
    kind: &str,
    name: &str,
    node: &Node,
    known: impl IntoIterator<Item = &'a str>,
) -> Mistake {
    let mistake = Mistake::new(node.mark, format!("unknown {kind} {name:?}"));
    match hint::indentation(name) {
        Some(advice) => mistake.hint(advice),
        None => mistake.meant(name, known),
    }
}

/// Every unknown source and target.
pub(super) fn check_backbones(suite: &Node, known: &dyn KnownInputs) -> Vec<Mistake> {
    let all = known.backbones();
    let names = backbones(suite);
    let mistakes = names.filter_map(|(name, node)| match known.has_backbone(name) {
        Ok(true) => None,
        Ok(false) => {
            let all = all.iter().map(String::as_str);
            Some(unknown("backbone", name, node, all))
        }
        Err(error) => Some(Mistake::new(node.mark, error.to_string())),
    });
    mistakes.collect()
}

/// Every unknown data set.
pub(super) fn check_datasets(suite: &Node, known: &dyn KnownInputs) -> Vec<Mistake> {
    let all = known.datasets();
    let mut found = Vec::new();
    for entry in items(suite, "datasets") {
        let node = entry.get("name").unwrap_or(entry);
        if let Some(name) = node.as_str().filter(|name| !name.is_empty()) {
            match known.has_dataset(name) {
                Ok(true) => {}
                Ok(false) => {
                    let all = all.iter().map(String::as_str);
                    found.push(unknown("data set", name, node, all));
                }
                Err(error) => found.push(Mistake::new(node.mark, error.to_string())),
            }
        }
        // It may also name another entry by its label, so that only an error counts.
        let base = entry.get("shift_of");
        if let Some((node, name)) = base.and_then(|node| Some((node, node.as_str()?)))
            && let Err(error) = known.has_dataset(name)
        {
            found.push(Mistake::new(node.mark, error.to_string()));
        }
    }
    found
}

/// Sources, targets and members of chains with their nodes.
pub(super) fn backbones(suite: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let nodes = items(suite, "upgrades").iter().flat_map(|upgrade| {
        let source = upgrade.get("source").into_iter();
        let targets = source.chain(items(upgrade, "targets"));
        targets.chain(items(upgrade, "chain"))
    });
    nodes.filter_map(|node| {
        let name = node.as_str().filter(|name| !name.is_empty())?;
        Some((name, node))
    })
}

/// Every duplicate upgrade of those that are listed one by one; what a chain adds is done once.
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
            if source == target {
                found.push(
                    Mistake::new(
                        node.mark,
                        format!("\"targets\": {target} is also the source"),
                    )
                    .hint("name another backbone: an upgrade has two"),
                );
            }
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
                    .hint("give each entry its own `label`"),
                ),
            }
        }
        let script = entry.get("python");
        let place = script.unwrap_or(id_node).mark;
        match known.card(id, script.and_then(Node::as_str)) {
            Err(error) => found.push(Mistake::new(place, error.to_string())),
            Ok(None) => {
                let mistake = unknown("method", id, id_node, known.methods());
                found.push(match hint::not_a_method(id) {
                    Some(advice) => mistake.hint(advice),
                    None => mistake,
                });
            }
            Ok(Some(card)) => {
                if let Some(config) = entry.get("config") {
                    found.extend(shape::check(config, &card.config_schema, "\"config\""));
                    found.extend(side_files(config, card, known));
                }
                found.extend(module::check(suite, entry, id, known));
            }
        }
    }
}

/// Files that a method's configuration names and that cannot be used.
fn side_files(config: &Node, card: &MethodCard, known: &dyn Known) -> Vec<Mistake> {
    let named = crate::side_files::properties(&card.config_schema);
    let named = named.filter_map(|name| Some((name, config.get(name)?)));
    let wrong = named.filter_map(|(name, node)| {
        let error = known.side_file(node.as_str()?).err()?;
        Some(Mistake::new(node.mark, format!("{name:?}: {error}")))
    });
    wrong.collect()
}
