//! What to do about the commonest slips: names from other tools, a value of another kind.

use serde_json::Value as Json;

use super::tree::{Node, Value};

/// Keys as other tools call them, or in another number.
const SYNONYMS: [(&str, &str); 46] = [
    ("target", "targets"),
    ("to", "targets"),
    ("tgt", "targets"),
    ("sources", "source"),
    ("from", "source"),
    ("src", "source"),
    ("upgrade", "upgrades"),
    ("backbones", "upgrades"),
    ("chain", "upgrades"),
    ("chains", "chain"),
    ("models", "upgrades"),
    ("method", "methods"),
    ("dataset", "datasets"),
    ("data_sets", "datasets"),
    ("data_dir", "data"),
    ("data_root", "data"),
    ("root", "data"),
    ("seed", "seeds"),
    ("shot", "shots"),
    ("num_shots", "shots"),
    ("n_shots", "shots"),
    ("k", "shots"),
    ("retrain", "oracle"),
    ("retrained", "oracle"),
    ("timeout", "time_limit"),
    ("tolerance", "margin"),
    ("threshold", "margin"),
    ("significance", "alpha"),
    ("learning_rate", "lr"),
    ("batch_size", "batch"),
    ("optim", "optimizer"),
    ("optimiser", "optimizer"),
    ("scheduler", "schedule"),
    ("lr_scheduler", "schedule"),
    ("wd", "weight_decay"),
    ("warmup", "warmup_epochs"),
    ("max_epoch", "epochs"),
    ("n_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("params", "config"),
    ("options", "config"),
    ("checkpoint", "module"),
    ("augmentation", "augment"),
    ("prompts", "templates"),
    ("name", "id"),
    ("id", "name"),
];

/// The known key that another tool calls `found`.
pub(super) fn synonym<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = found.to_lowercase().replace('-', "_");
    let mut pairs = SYNONYMS.iter().filter(|(other, _)| *other == plain);
    pairs.find_map(|(_, key)| known.iter().find(|name| *name == key).copied())
}

/// How a key that is missing is written.
pub(super) fn example(key: &str) -> Option<&'static str> {
    Some(match key {
        "upgrades" => "write `upgrades:`, and below it `  - {source: A, targets: [B]}`",
        "methods" => "for example `methods: [coop]`; `harness list methods` shows them",
        "datasets" => "`harness list datasets` shows the data sets",
        "shots" => "for example `shots: [16]`",
        "seeds" => "for example `seeds: [1, 2, 3]`",
        "training" => "for example `seeds: {split: [1, 2, 3], training: [1, 2]}`",
        "split" => "for example `seeds: {split: [1, 2, 3], training: [1, 2]}`",
        "chain" => "for example `{chain: [a, b, c]}`, from the oldest to the newest",
        "targets" => "for example `targets: [micro-eva-clip]`",
        _ => return None,
    })
}

/// What to write in place of a value of the wrong type. `types` are JSON Schema's, `key` is
/// the key that holds the value.
pub(super) fn wrong_type(types: &[&str], node: &Node, key: &str) -> Option<String> {
    let expects = |name: &str| types.contains(&name);
    match (key, &node.value) {
        ("upgrades", Value::Map(_)) => {
            return Some("begin each upgrade with `- `".to_owned());
        }
        ("upgrades", Value::List(_)) => {
            return Some(
                "write `- {source: A, targets: [B]}`, or `- {chain: [A, B, C]}` for a chain"
                    .to_owned(),
            );
        }
        ("upgrades", Value::Scalar { .. }) => return example("upgrades").map(str::to_owned),
        ("optimizer", Value::Map(_)) => {
            return Some(
                "write `optimizer: sgd`; `lr`, `momentum` and `weight_decay` are keys of `recipe`"
                    .to_owned(),
            );
        }
        ("schedule", Value::Map(_)) => {
            return Some(
                "write `schedule: constant`; `warmup_epochs` and `min_lr` are keys of `recipe`"
                    .to_owned(),
            );
        }
        ("recipe", _) => {
            return Some("for example `recipe: common` or `recipe: {epochs: 20}`".to_owned());
        }
        ("gate", Value::Scalar { .. }) => {
            return Some("for example `gate: {margin: 1}`".to_owned());
        }
        _ => {}
    }
    let value = node.to_json();
    let (text, is_quoted) = match &node.value {
        Value::Map(_) if expects("array") => {
            return Some("write a list: begin each entry with `- `".to_owned());
        }
        Value::Scalar { text, plain } if !value.is_null() => (text.trim(), !plain),
        _ => return None,
    };
    if expects("array") {
        let list = format!("write `{key}: [{}]`", entries(text));
        let count = text.parse::<u64>().ok();
        return Some(
            match count.filter(|n| key == "seeds" && (2..=20).contains(n)) {
                Some(count) => {
                    let all = entries(&format!("1-{count}"));
                    format!("{list}, or `seeds: [{all}]` for {count} seeds")
                }
                None => list,
            },
        );
    }
    if expects("boolean") {
        let word = match text.to_lowercase().as_str() {
            "yes" | "on" | "y" | "1" | "true" => "true",
            "no" | "off" | "n" | "0" | "false" => "false",
            _ => return None,
        };
        return Some(format!("write `{key}: {word}`"));
    }
    if expects("integer") || expects("number") {
        return number(text, is_quoted, expects("number"));
    }
    let is_bare = matches!(value, Json::Number(_) | Json::Bool(_));
    (expects("string") && is_bare)
        .then(|| format!("to use it as text, write it in quotes: \"{text}\""))
}

/// The entries of a list that was written as text: `1-3` counts up, commas separate.
fn entries(text: &str) -> String {
    let range = text.split_once("..").or_else(|| text.split_once('-'));
    let bounds = range.and_then(|(first, last)| {
        Some((
            first.trim().parse::<u64>().ok()?,
            last.trim().parse::<u64>().ok()?,
        ))
    });
    match bounds {
        Some((first, last)) if first < last && last - first < 20 => {
            let numbers: Vec<String> = (first..=last).map(|number| number.to_string()).collect();
            numbers.join(", ")
        }
        _ => {
            let words: Vec<&str> = text
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            words.join(", ")
        }
    }
}

fn number(text: &str, is_quoted: bool, admits_fractions: bool) -> Option<String> {
    if let Ok(value) = text.parse::<f64>() {
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return Some(format!("write {value}"));
        }
        return (is_quoted && admits_fractions).then(|| format!("write {text} without quotes"));
    }
    let plain = text.replace('_', "");
    if plain.parse::<u64>().is_ok() {
        return Some(format!("write {plain}"));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-'))?;
    let unit = text[end..].trim();
    let is_unit = unit == "%" || unit.chars().all(|c| c.is_ascii_alphabetic());
    let value = text[..end].parse::<f64>().ok().filter(|_| is_unit)?;
    Some(format!("write {value}, without {unit:?}"))
}

/// What to do about a name that two entries of a list ran together to.
pub(super) fn indentation(name: &str) -> Option<&'static str> {
    name.contains(" - ")
        .then_some("the next `- ` is indented further: begin all entries in the same column")
}

/// What to do about a name that is no method.
pub(super) fn not_a_method(name: &str) -> Option<&'static str> {
    let plain = name.to_lowercase().replace(['-', '_', ' '], "");
    match plain.as_str() {
        "zeroshot" | "zeroshotclip" | "zs" | "clip" => {
            Some("zero-shot is measured for every suite; leave this entry out")
        }
        "oracle" | "retrain" | "retrained" => {
            Some("to retrain every method on the targets, write `oracle: true` in the suite")
        }
        _ => None,
    }
}
