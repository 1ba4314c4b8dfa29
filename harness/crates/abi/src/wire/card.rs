//! What a plugin says about itself and its methods, before any model is loaded.

use serde::{Deserialize, Serialize};

use super::{Recipe, ScriptFacts};

/// A plugin and its methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// The plugin.
    pub plugin: PluginInfo,
    /// Its methods, in the order of export.
    pub methods: Vec<MethodCard>,
}

/// How a plugin was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginInfo {
    /// Name of the crate.
    pub name: String,
    /// Version of the crate.
    pub version: String,
    /// SPDX expression.
    pub license: String,
    /// SDK version.
    pub sdk: String,
    /// Output of `rustc --version`.
    pub rustc: String,
    /// ABI version that it was built with as `major.minor`.
    pub abi: String,
    /// Optimisation level of its dependencies, from the version record; none from plugins
    /// whose record has none. The host fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_level: Option<char>,
    /// ABI version that it needs as `major.minor`, from the version record. The host fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_abi: Option<String>,
    /// What the methods of a script were read with. Since ABI 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptFacts>,
}

/// A method's entry in `harness list methods`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodCard {
    /// Name in a suite: lower case, digits and dashes.
    pub id: String,
    /// One line: name and idea.
    pub title: String,
    /// Where the method was published.
    pub paper: String,
    /// What kind of module it trains.
    pub family: Family,
    /// The deepest site with the default configuration.
    pub depth: String,
    /// The sites it changes with the default configuration.
    pub sites: Vec<Site>,
    /// Tensor shapes, in terms of the backbone's dimensions.
    pub needs: Vec<String>,
    /// What it reads of the images.
    pub data: DataNeed,
    /// Tensors in the module file.
    pub carried: Vec<String>,
    /// What is recomputed on the target.
    pub recomputed: Vec<String>,
    /// Where it differs from the published method or its reference code, and why.
    /// Since ABI 1.1.
    #[serde(default)]
    pub deviations: Vec<String>,
    /// JSON Schema of the configuration.
    #[serde(default)]
    pub config_schema: serde_json::Value,
    /// The reference recipe; none from plugins of ABI 1.0 that state none.
    #[serde(default, deserialize_with = "super::recipe::stated")]
    pub recipe: Option<Recipe>,
}

/// What kind of module a method trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Learned tokens at the input of the text tower.
    Input,
    /// Learned tokens inside the towers.
    Deep,
    /// Changes of weights or biases.
    Weights,
    /// Changes of features or logits.
    Features,
}

/// Where in a backbone a module acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// Token embeddings of the prompt.
    TextInput,
    /// Tokens at the input of a deeper text block.
    TextBlock,
    /// Tokens beside the patches.
    ImageInput,
    /// Tokens at the input of a deeper image block.
    ImageBlock,
    /// A weight of a linear layer.
    Weight,
    /// A bias or gain.
    Bias,
    /// The output of the image tower.
    ImageFeature,
    /// The output of the text tower.
    TextFeature,
    /// The class scores.
    Logits,
}

/// What a method reads of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataNeed {
    /// Features of the frozen image tower, which the host caches.
    Features,
    /// A forward pass of its own through the image tower.
    Pixels,
}
