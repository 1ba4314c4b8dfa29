//! The suite as types, which serde_yaml reads and the schema describes.

use harness_report::GateRule;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::RecipeChoice;
use super::dataset::{DatasetEntry, Sampler};
use super::module_entry::ModuleEntry;
use super::seeds::SuiteSeeds;
use super::slurm::SlurmOptions;
use super::upgrade::{self, Pair, Upgrade};
use crate::device::{ComputePrecision, DeviceChoice};
use crate::images::ImageOptions;

/// What to run: methods × data sets × shots × seeds × upgrades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Name of the suite, shown in the report.
    #[schemars(length(min = 1))]
    pub name: String,
    /// One sentence on what the suite is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which backbone is replaced by which: a source with its targets, or a chain of backbones
    /// `{chain: [a, b, c]}`, which means a → b, a → c and b → c.
    #[schemars(length(min = 1))]
    pub upgrades: Vec<Upgrade>,
    /// The methods to compare, each an id or an entry with options; needed unless there are
    /// `modules`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub methods: Vec<MethodEntry>,
    /// Modules that were trained before, each a pattern of file names relative to the suite
    /// or an entry with options. Each is tested on the data set it was trained on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub modules: Vec<ModuleEntry>,
    /// Data sets, each a name, a path or an entry with options; needed for `methods`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub datasets: Vec<DatasetEntry>,
    /// Folder in which data sets are looked for by name, relative to the suite; after
    /// `--data` and HARNESS_DATA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub data: Option<String>,
    /// Whose order of few-shot draws is followed.
    #[serde(default)]
    pub sampler: Sampler,
    /// Training images per class; one run for each number. Needed for `methods`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(range(min = 1)), extend("uniqueItems" = true))]
    pub shots: Vec<u32>,
    /// Seeds; one run for each. A list sets the few-shot split and the training at once,
    /// `{split: [1, 2, 3], training: [1, 2]}` does each training on each split. Needed for
    /// `methods`.
    #[serde(default, skip_serializing_if = "SuiteSeeds::is_empty")]
    pub seeds: SuiteSeeds,
    /// Whether each method is also trained on the targets, as an upper bound. A module is
    /// trained with the recipe, shots and seed of its header.
    #[serde(default)]
    pub oracle: bool,
    /// Whose recipe every method is trained with, and changes to it.
    #[serde(default)]
    pub recipe: RecipeChoice,
    /// How images are shown in training, and how their features are kept.
    #[serde(default)]
    pub images: ImageOptions,
    /// Device that the towers run on, unless `--device` or HARNESS_DEVICE says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceChoice>,
    /// Arithmetic of the towers on a GPU, unless `--precision` says otherwise; f32 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<ComputePrecision>,
    /// Seconds after which a job is stopped.
    #[serde(default = "default_time_limit")]
    #[schemars(range(min = 1))]
    pub time_limit: u64,
    /// What the comparison with a baseline allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// How `harness submit` cuts the suite into jobs of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<SlurmOptions>,
    /// More plugins: shared libraries, folders of them or Python files, relative to the suite.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub plugins: Vec<String>,
    /// Interpreter of Python files, unless `--python` names one: a path, the folder of a virtual
    /// environment, or a name that is looked up in PATH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub python: Option<String>,
}

impl Suite {
    /// Every upgrade, each once.
    pub(crate) fn pairs(&self) -> Vec<Pair<'_>> {
        upgrade::pairs(&self.upgrades)
    }

    /// The chains among its upgrades.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &[String]> {
        upgrade::chains(&self.upgrades)
    }
}

fn default_time_limit() -> u64 {
    600
}

/// What `harness gate` allows, and how sure it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Loss of accuracy that is accepted, in percentage points.
    #[serde(default = "default_margin")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
    pub margin: f64,
    /// Chance of any false claim over all cells.
    #[serde(default = "default_alpha")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 0.5))]
    pub alpha: f64,
}

fn default_margin() -> f64 {
    GateRule::default().margin
}

fn default_alpha() -> f64 {
    GateRule::default().alpha
}

/// A method with its options. In a suite also just its id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodEntry {
    pub id: String,
    /// Name in the report; the id by default.
    pub label: String,
    pub config: Map<String, Value>,
    /// The recipe, on top of the suite's.
    pub recipe: RecipeChoice,
    /// A module that was trained elsewhere, which is injected instead of trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The Python file that defines the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
}

impl MethodEntry {
    /// A method with its own configuration and the suite's recipe.
    pub fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            label: id.to_owned(),
            config: Map::new(),
            recipe: RecipeChoice::default(),
            module: None,
            python: None,
        }
    }
}

/// The long form of a method entry.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MethodOptions {
    /// Id of the method, see `harness list methods`.
    #[schemars(length(min = 1))]
    id: String,
    /// Name in the report, needed if a method is listed twice; the id by default.
    #[schemars(length(min = 1))]
    label: Option<String>,
    /// The method's own configuration.
    #[serde(default)]
    config: Map<String, Value>,
    /// The recipe, on top of the suite's.
    #[serde(default)]
    recipe: RecipeChoice,
    /// Module file, relative to the suite, that was trained elsewhere and is injected
    /// into source and targets; nothing is trained. Its configuration is the default.
    #[schemars(length(min = 1))]
    module: Option<String>,
    /// Python file, relative to the suite, that defines the method; for this entry alone.
    #[schemars(length(min = 1))]
    python: Option<String>,
}

impl<'de> Deserialize<'de> for MethodEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdOrOptions;

        impl<'de> de::Visitor<'de> for IdOrOptions {
            type Value = MethodEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a method's id or a mapping with its id")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<MethodEntry, E> {
                Ok(MethodEntry::named(id))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<MethodEntry, A::Error> {
                let options =
                    MethodOptions::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(MethodEntry {
                    label: options.label.unwrap_or_else(|| options.id.clone()),
                    id: options.id,
                    config: options.config,
                    recipe: options.recipe,
                    module: options.module,
                    python: options.python,
                })
            }
        }

        deserializer.deserialize_any(IdOrOptions)
    }
}

impl JsonSchema for MethodEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MethodEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let options = generator.subschema_for::<MethodOptions>();
        schemars::json_schema!({
            "description": "A method: its id, or its id with options.",
            "anyOf": [{ "type": "string", "minLength": 1 }, options],
        })
    }
}

/// JSON Schema of a suite, for editors.
pub fn schema() -> Value {
    schemars::schema_for!(Suite).to_value()
}
