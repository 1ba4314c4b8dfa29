//! The result file of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cell::Cell;
use crate::labels::Labels;
use crate::provenance::Provenance;
use crate::upgrade::{Chain, Upgrade};

/// Everything a run found, and what it takes to get it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Format of the file: [`Report::FORMAT`].
    pub schema: String,
    /// SHA-256 of the rest of the file as canonical JSON, by which an edited file is known. Only in
    /// files; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    pub suite: Suite,
    pub provenance: Provenance,
    /// How images were shown; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Images>,
    pub backbones: Vec<Backbone>,
    pub plugins: Vec<Plugin>,
    /// In the suite's order, which is also the order of rows.
    pub methods: Vec<Method>,
    /// In the suite's order, which is also the order of columns.
    pub datasets: Vec<Dataset>,
    pub upgrades: Vec<Upgrade>,
    /// Backbones that replace one another, each chain with all of its upgrades above; absent
    /// where the suite has none, and in older reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chains: Vec<Chain>,
    /// How the class embeddings of two backbones differ; empty in older
    /// reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text_drift: Vec<TextDrift>,
    /// What readers should know of the inputs, such as prompts that were cut; empty in older
    /// reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_notes: Vec<String>,
    pub cells: Vec<Cell>,
}

impl Report {
    /// Name and major version of the file format that this version writes.
    pub const FORMAT: &'static str = "harness-report/1";

    /// Puts the cells into the order of upgrades, shots, methods, data sets and
    /// seeds, so that equal runs give equal files whatever finished first.
    pub fn sort_cells(&mut self) {
        let upgrades = positions(self.upgrades.iter().cloned());
        let methods = positions(self.methods.iter().map(|m| m.label.clone()));
        let datasets = positions(self.datasets.iter().map(|d| d.name.clone()));
        self.cells.sort_by_cached_key(|cell| {
            (
                (
                    upgrades.get(&cell.upgrade).copied().unwrap_or(usize::MAX),
                    cell.upgrade.clone(),
                ),
                cell.shots,
                (
                    methods.get(&cell.method).copied().unwrap_or(usize::MAX),
                    cell.method.clone(),
                ),
                (
                    datasets.get(&cell.dataset).copied().unwrap_or(usize::MAX),
                    cell.dataset.clone(),
                ),
                cell.seed,
            )
        });
    }
}

/// Where each item is; of equal ones, the first.
fn positions<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut positions = BTreeMap::new();
    for (position, item) in items.enumerate() {
        positions.entry(item).or_insert(position);
    }
    positions
}

/// The suite that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    pub name: String,
    /// As it was given on the command line.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What its gate allows; absent where the suite leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateRule>,
}

/// What a gate allows, and how sure it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Loss of accuracy that is accepted, in percentage points.
    pub margin: f64,
    /// Chance of any false claim over all cells of a gate.
    pub alpha: f64,
}

impl GateRule {
    /// The margin as a fraction.
    pub fn fraction(&self) -> f64 {
        self.margin / 100.0
    }
}

impl Default for GateRule {
    /// One point, five percent.
    fn default() -> Self {
        Self {
            margin: 1.0,
            alpha: 0.05,
        }
    }
}

/// How images were shown in training, and how precisely their features were kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// `none`, `flip` or `random-resized-crop`.
    pub augment: String,
    /// Least and largest part of an image that random-resized-crop showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Views of each training image: epoch e read view e modulo this number.
    pub views: u32,
    /// `f32` or `f16`.
    pub precision: String,
}

/// A backbone that took part, as source or target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backbone {
    pub name: String,
    /// SHA-256 over every file that decides what the backbone computes.
    pub sha256: String,
    /// Widths, depths and sizes by name.
    pub dims: Value,
    /// Checkpoint layout that was detected.
    pub layout: String,
}

/// A plugin that was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// File name of the shared library.
    pub file: String,
    /// SHA-256 of the shared library.
    pub sha256: String,
    pub version: String,
    /// Version of the SDK it was built with.
    pub sdk: String,
    /// Version of the compiler it was built with.
    pub rustc: String,
    pub licence: String,
}

/// A method with its configuration: a row of the matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// What the suite calls it; unique in a report.
    pub label: String,
    /// What its plugin calls it.
    pub id: String,
    /// File name of its plugin.
    pub plugin: String,
    pub config: Value,
    /// Whose recipe it was trained with; absent where it was trained elsewhere, and in
    /// older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<MethodRecipe>,
    /// SHA-256 of the module file, where it was trained elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_sha256: Option<String>,
    /// The backbones that the module file was trained on; absent where there is no file, and in
    /// older reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub module_sources: Vec<String>,
    pub family: String,
    /// How deep in the backbone it reaches.
    pub depth: String,
    /// Trained numbers, where they do not depend on the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
}

impl Method {
    /// Whether what is moved from `source` is the module file, and not a module that was trained
    /// again on a backbone in the middle of a chain. True of methods without a file.
    pub fn brings(&self, source: &str) -> bool {
        let own = &self.module_sources;
        own.is_empty() || own.iter().any(|name| name == source)
    }
}

/// Whose recipe a method was trained with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodRecipe {
    /// `own`: the method's; `common`: one for all methods.
    pub base: String,
    /// What the suite changed in it.
    pub changes: Value,
}

/// A data set: a column of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What the suite calls it; unique in a report.
    pub name: String,
    pub title: String,
    /// SHA-256 over items, labels, class names, templates and pixels.
    pub manifest_sha256: String,
    pub classes: u64,
    /// Images of the training split.
    pub train: u64,
    /// Images of the validation split.
    pub val: u64,
    /// Images of the test split.
    pub test: u64,
    pub class_names: Vec<String>,
    /// Class of each test image; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<Labels>,
    /// The data set this one is a shifted test set of: modules are trained there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_of: Option<String>,
    /// Images that were left out because they are missing or unreadable, as the suite
    /// allowed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How far the class embeddings of a data set differ between the backbones of an upgrade,
/// as an explanation of what became of the modules: never a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextDrift {
    pub upgrade: Upgrade,
    pub dataset: String,
    /// Linear CKA (Kornblith et al. 2019) of the zero-shot class embeddings, in [0, 1]: 1
    /// for the same geometry.
    pub cka: f64,
    /// What is left of the embeddings' squared distances after the best rotation, shift
    /// and scale, in [0, 1]: 0 for the same shape.
    pub procrustes: f64,
}
