//! Checks the `module` of a method's entry against the file and the rest of the suite.

use super::tree::Node;
use super::{Known, Mistake};

/// What keeps the module of an entry of the method `id` from being measured as the
/// suite says. What is wrong in shape is found elsewhere.
pub(super) fn check(suite: &Node, entry: &Node, id: &str, known: &dyn Known) -> Vec<Mistake> {
    let Some(node) = entry.get("module") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(recipe) = entry.get("recipe") {
        found.push(Mistake::new(
            recipe.mark,
            "\"recipe\": not used: the entry's module is already trained",
        ));
    }
    let Some(path) = node.as_str().filter(|path| !path.is_empty()) else {
        return found;
    };
    let mut wrong = |reason: String| {
        found.push(Mistake::new(node.mark, format!("\"module\": {reason}")));
    };
    let header = match known.module(path) {
        Ok(header) => header,
        Err(error) => {
            wrong(error.to_string());
            return found;
        }
    };
    if header.method != id {
        wrong(format!(
            "it was trained by method `{}`, not by `{id}`",
            header.method
        ));
    }
    let items = |key: &str| suite.get(key).map(Node::items).unwrap_or_default();
    let sources = items("upgrades")
        .iter()
        .filter_map(|upgrade| upgrade.get("source"));
    let mut sources = sources.filter_map(Node::as_str);
    if let Some(other) = sources.find(|source| *source != header.source) {
        wrong(format!(
            "it was trained on `{}`, but the suite upgrades from `{other}`",
            header.source
        ));
    }
    let seeds: Vec<_> = items("seeds").iter().map(Node::to_json).collect();
    if seeds.iter().any(|seed| seed.as_u64() != Some(header.seed)) {
        wrong(format!(
            "it was trained with seed {seed} only; write `seeds: [{seed}]`",
            seed = header.seed
        ));
    }
    if items("shots").len() > 1 {
        wrong("it was trained with one number of shots, but the suite lists several".to_owned());
    }
    found
}
