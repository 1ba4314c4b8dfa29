//! Checks the `module` of a method's entry and the files of `modules` against the rest of
//! the suite.

use harness_report::Seeds;

use super::hint;
use super::seeds::SuiteSeeds;
use super::tree::Node;
use super::{Known, Mistake};
use crate::modules::seeds_of;

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
    let sources = items("upgrades").iter().filter_map(|upgrade| {
        let chain = upgrade.get("chain").map(Node::items).unwrap_or_default();
        upgrade.get("source").or(chain.first())
    });
    let mut sources = sources.filter_map(Node::as_str);
    if let Some(other) = sources.find(|source| *source != header.source) {
        wrong(format!(
            "it was trained on `{}`, but the suite upgrades from `{other}`",
            header.source
        ));
    }
    let own = seeds_of(&header);
    let seeds = suite.get("seeds").map(Node::to_json);
    let seeds = seeds.and_then(|seeds| serde_json::from_value::<SuiteSeeds>(seeds).ok());
    if seeds.is_some_and(|seeds| seeds.all().iter().any(|seeds| *seeds != own)) {
        let Seeds { split, training } = own;
        let entry = match split == training {
            true => format!("[{split}]"),
            false => format!("{{split: [{split}], training: [{training}]}}"),
        };
        wrong(format!(
            "it was trained with seed {own} only; write `seeds: {entry}`"
        ));
    }
    let shots: Vec<_> = items("shots").iter().map(Node::to_json).collect();
    match header.origin.map(|origin| origin.shots) {
        Some(own) if shots.iter().any(|shots| shots.as_u64() != Some(own.into())) => {
            wrong(format!(
                "it was trained with {own} shots only; write `shots: [{own}]`"
            ));
        }
        None if shots.len() > 1 => {
            wrong("it was trained with one number of shots, but the suite lists several".to_owned())
        }
        _ => {}
    }
    found
}

/// What the suite lacks: `methods` need data sets, shots and seeds; modules bring their own.
pub(super) fn required(suite: &Node) -> Vec<Mistake> {
    let missing = |key: &str| {
        let message = format!("the suite: the key {key:?} is missing");
        suite.get(key).is_none().then(|| Mistake {
            hint: hint::example(key).map(str::to_owned),
            ..Mistake::new(suite.mark, message)
        })
    };
    if suite.get("modules").is_some() && suite.get("methods").is_none() {
        return Vec::new();
    }
    let keys = ["methods", "datasets", "shots", "seeds"];
    keys.into_iter().filter_map(missing).collect()
}

/// Patterns without a file, files that are no modules, and methods that nobody has.
pub(super) fn check_files(suite: &Node, known: &dyn Known) -> Vec<Mistake> {
    let mut found = Vec::new();
    for entry in suite.get("modules").map(Node::items).unwrap_or_default() {
        let node = entry.get("path").unwrap_or(entry);
        let Some(pattern) = node.as_str().filter(|pattern| !pattern.is_empty()) else {
            continue;
        };
        let mut wrong = |reason: String| {
            found.push(Mistake::new(node.mark, format!("\"modules\": {reason}")));
        };
        let files = match known.module_files(pattern) {
            Ok(files) if files.is_empty() => {
                wrong(format!("no file matches {pattern:?}"));
                continue;
            }
            Ok(files) => files,
            Err(error) => {
                wrong(format!("{pattern:?}: {error}"));
                continue;
            }
        };
        for file in files {
            let path = std::path::absolute(&file).unwrap_or(file);
            match known.module(&path.to_string_lossy()) {
                Err(error) => wrong(error.to_string()),
                Ok(header) => match known.card(&header.method, None) {
                    Ok(Some(_)) => {}
                    Ok(None) => wrong(format!(
                        "{}: no plugin has its method `{}`",
                        path.display(),
                        header.method
                    )),
                    Err(error) => wrong(error.to_string()),
                },
            }
        }
    }
    found
}
