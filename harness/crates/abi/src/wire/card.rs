//! What a plugin says of itself and its methods, before any model is loaded.

use serde::{Deserialize, Serialize};

/// A plugin and its methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    pub plugin: PluginInfo,
    pub methods: Vec<MethodCard>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginInfo {
    pub name: String,
    pub version: String,
    pub license: String,
    /// Version of the SDK.
    pub sdk: String,
    pub rustc: String,
    /// ABI as `major.minor`.
    pub abi: String,
}

/// A method's entry in `harness list methods`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodCard {
    /// Name in a suite: lower case, digits and dashes.
    pub id: String,
    pub title: String,
    /// Where the method was published, or what it follows.
    pub paper: String,
    pub family: Family,
    /// The deepest site with the default configuration.
    pub depth: String,
    /// The sites it touches with the default configuration.
    pub sites: Vec<Site>,
    /// Shapes at those sites, as expressions of the backbone's dimensions.
    pub needs: Vec<String>,
    pub data: DataNeed,
    /// Tensors in the module file.
    pub carried: Vec<String>,
    /// What is computed anew from the target.
    pub recomputed: Vec<String>,
    /// Where it differs from the published method or its reference code, and why.
    /// Since ABI 1.1.
    #[serde(default)]
    pub deviations: Vec<String>,
    /// JSON Schema of the configuration.
    #[serde(default)]
    pub config_schema: serde_json::Value,
    /// The reference recipe.
    #[serde(default)]
    pub recipe: serde_json::Value,
}

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

/// A kind of place in a backbone that a module touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    TextInput,
    TextBlock,
    ImageInput,
    ImageBlock,
    Weight,
    Bias,
    ImageFeature,
    TextFeature,
    Logits,
}

/// What a method reads of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataNeed {
    /// Features of the frozen image tower, which the host caches.
    Features,
    /// A pass through the image tower of its own.
    Pixels,
}
