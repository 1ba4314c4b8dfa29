//! In which inputs two reports differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use crate::cell::{Cell, Training};
use crate::report::{Dataset, Report};
use crate::seeds::Seeds;
use crate::upgrade::Upgrade;

/// One difference that makes numbers incomparable: what was run, on which data, in which
/// backbone. What a comparison is there to judge, the plugins, is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// What differs, such as `data set "dtd"`.
    pub location: String,
    pub problem: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

/// A cell's coordinates.
type Key<'a> = (&'a Upgrade, u32, &'a str, &'a str, Seeds);

pub(super) fn key(cell: &Cell) -> Key<'_> {
    (
        &cell.upgrade,
        cell.shots,
        &cell.method,
        &cell.dataset,
        cell.seed,
    )
}

/// Every difference between the inputs of `report` and `baseline`, as far as the cells of the
/// baseline that `wanted` accepts are concerned. Cells that only the report has are no
/// mismatch: they have nothing to be compared with.
pub fn mismatches(
    report: &Report,
    baseline: &Report,
    wanted: impl Fn(&Cell) -> bool,
) -> Vec<Mismatch> {
    let mut found = BTreeSet::new();
    let mut find = |location: String, problem: String| {
        found.insert(Mismatch { location, problem });
    };
    let arithmetic = |report: &Report| match &report.provenance.device {
        Some(device) => format!("{} in {}", device.kind, device.precision),
        None => "the CPU".to_owned(),
    };
    let (before, after) = (arithmetic(baseline), arithmetic(report));
    if before != after {
        let problem = format!("the baseline was computed on {before}, the report on {after}");
        find("device".to_owned(), problem);
    }
    let here: BTreeMap<Key<'_>, &Cell> = report.cells.iter().map(|c| (key(c), c)).collect();
    for old in baseline.cells.iter().filter(|cell| wanted(cell)) {
        let Some(new) = here.get(&key(old)) else {
            let (location, problem) = absent(report, old);
            find(location, problem);
            continue;
        };
        for name in [&old.upgrade.source, &old.upgrade.target] {
            let hash = |report: &Report| {
                let mut backbones = report.backbones.iter();
                let found = backbones.find(|backbone| backbone.name == *name)?;
                Some(found.sha256.clone())
            };
            let (before, after) = (hash(baseline), hash(report));
            if before != after {
                let change = hashes(before.as_deref(), after.as_deref());
                find(
                    format!("backbone {name:?}"),
                    format!("different files: {change}"),
                );
            }
        }
        if !same_data(report, baseline, &old.dataset) {
            find(
                format!("data set {:?}", old.dataset),
                data_changes(report, baseline, &old.dataset),
            );
        }
        let method = |report: &'_ Report| {
            let found = report.methods.iter().find(|m| m.label == old.method)?;
            Some(json!({
                "id": found.id, "config": found.config, "module_sha256": found.module_sha256,
            }))
        };
        let (before, after) = (method(baseline), method(report));
        if before != after {
            find(
                format!("method {:?}", old.method),
                format!(
                    "different id, configuration or module file: {}",
                    changes(&before.unwrap_or_default(), &after.unwrap_or_default())
                ),
            );
        }
        if let (Some(before), Some(after)) = (&old.training, &new.training) {
            if before.recipe != after.recipe {
                find(
                    format!("method {:?}", old.method),
                    format!(
                        "different recipe: {}",
                        changes(&before.recipe, &after.recipe)
                    ),
                );
            }
            if before.picks_sha256 != after.picks_sha256 {
                find(
                    format!("data set {:?}", old.dataset),
                    format!(
                        "different training images drawn with seed {}: {}",
                        old.seed,
                        draw_changes(before, after)
                    ),
                );
            }
        }
    }
    found.into_iter().collect()
}

/// What the report lacks of a cell of the baseline: a whole data set, method, upgrade or seed is
/// one difference, whatever the number of its cells.
fn absent(report: &Report, old: &Cell) -> (String, String) {
    let lacks = |has: &dyn Fn(&Cell) -> bool| !report.cells.iter().any(has);
    let upgrade = format!("{} → {}", old.upgrade.source, old.upgrade.target);
    let location = if lacks(&|cell| cell.dataset == old.dataset) {
        format!("data set {:?}", old.dataset)
    } else if lacks(&|cell| cell.method == old.method) {
        format!("method {:?}", old.method)
    } else if lacks(&|cell| cell.upgrade == old.upgrade) {
        format!("upgrade {upgrade}")
    } else if lacks(&|cell| cell.shots == old.shots) {
        format!("shots {}", old.shots)
    } else if lacks(&|cell| cell.seed == old.seed) {
        format!("seed {}", old.seed)
    } else {
        let problem = format!(
            "{} on {} across {upgrade} with {} shots and seed {} is only in the baseline",
            old.method, old.dataset, old.shots, old.seed
        );
        return ("cells".to_owned(), problem);
    };
    (location, "only in the baseline".to_owned())
}

/// `1a2b3c4d → 5e6f7a8b`, the starts of two hashes.
fn hashes(before: Option<&str>, after: Option<&str>) -> String {
    let short = |hash: Option<&str>| match hash {
        Some(hash) => hash.chars().take(8).collect(),
        None => "absent".to_owned(),
    };
    format!("sha256 {} → {}", short(before), short(after))
}

/// What differs in a data set: sizes and class names, or else something that only its hash tells.
fn data_changes(report: &Report, baseline: &Report, name: &str) -> String {
    let find = |report: &'_ Report| -> Option<Dataset> {
        let mut datasets = report.datasets.iter();
        datasets.find(|dataset| dataset.name == name).cloned()
    };
    let (Some(before), Some(after)) = (find(baseline), find(report)) else {
        return "described in one of the reports only".to_owned();
    };
    let sizes = |of: &Dataset| {
        json!({
            "classes": of.classes, "train images": of.train, "val images": of.val,
            "test images": of.test, "missing images": of.missing, "shift_of": of.shift_of,
        })
    };
    let mut found = Vec::new();
    collect("", &sizes(&before), &sizes(&after), &mut found);
    let names = before.class_names.iter().zip(&after.class_names);
    if let Some((old, new)) = names.into_iter().find(|(old, new)| old != new) {
        found.push(format!("class name {old:?} → {new:?}"));
    }
    if before.test_labels.is_some() && before.test_labels != after.test_labels {
        found.push("labels of test images".to_owned());
    }
    let hashes = hashes(Some(&before.manifest_sha256), Some(&after.manifest_sha256));
    match found.is_empty() {
        true => format!("different images, training labels or templates: {hashes}"),
        false => format!("different {}; {hashes}", found.join(", ")),
    }
}

/// Why other images were drawn, as far as the reports say.
fn draw_changes(before: &Training, after: &Training) -> String {
    match (&before.sampler, &after.sampler) {
        (Some(old), Some(new)) if old != new => format!("sampler {old} → {new}"),
        _ => hashes(Some(&before.picks_sha256), Some(&after.picks_sha256)),
    }
}

/// Which fields differ and how, such as `lr 0.002 → 0.01, epochs 50 → 20`.
fn changes(before: &Value, after: &Value) -> String {
    let mut found = Vec::new();
    collect("", before, after, &mut found);
    found.join(", ")
}

fn collect(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        let shown = |value: &Value| match value {
            Value::Null => "absent".to_owned(),
            other => other.to_string(),
        };
        let name = if path.is_empty() { "value" } else { path };
        return found.push(format!("{name} {} → {}", shown(before), shown(after)));
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        let field = |map: &serde_json::Map<String, Value>| map.get(name).cloned();
        collect(
            &path,
            &field(old).unwrap_or_default(),
            &field(new).unwrap_or_default(),
            found,
        );
    }
}

/// The plugins that are other files than in the baseline, such as `libcoop.so (0.1.0 → 0.2.0)`:
/// what a gate is there to judge, and the first thing to know about a loss.
pub(super) fn changed_plugins(report: &Report, baseline: &Report) -> Vec<String> {
    let changed = report.plugins.iter().filter_map(|new| {
        let known: Vec<_> = baseline
            .plugins
            .iter()
            .filter(|old| old.file == new.file)
            .collect();
        if known.iter().any(|old| old.sha256 == new.sha256) {
            return None;
        }
        let old = known.first()?;
        let short = |hash: &str| hash.chars().take(8).collect::<String>();
        Some(format!(
            "{} {} → {} ({} → {})",
            new.file,
            short(&old.sha256),
            short(&new.sha256),
            old.version,
            new.version
        ))
    });
    changed.collect()
}

/// Whether both reports tested on the same images of a data set.
pub(super) fn same_data(report: &Report, baseline: &Report, name: &str) -> bool {
    let hash = |report: &Report| {
        let mut datasets = report.datasets.iter();
        let found = datasets.find(|dataset| dataset.name == name)?;
        Some(found.manifest_sha256.clone())
    };
    hash(report) == hash(baseline)
}
