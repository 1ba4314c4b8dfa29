//! What a script says of its parameters and recipe.

use harness_abi::wire::{Recipe, Tower};
use serde::Deserialize;

use crate::{Init, Parameter};

/// Parameters and recipe, as a script writes them in JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    parameters: Vec<DeclaredParameter>,
    /// The recipe unless a suite changes it.
    pub recipe: Recipe,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredParameter {
    name: String,
    shape: Vec<usize>,
    init: DeclaredInit,
    #[serde(default)]
    class_axis: Option<usize>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    fixed: bool,
}

/// See [`Init`].
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum DeclaredInit {
    Zeros,
    Normal { std: f64 },
    Uniform { bound: f64 },
    Words { text: String },
    WordsAfterZeros { text: String },
    FromBackbone { tower: Tower, name: String },
    ImageProjection,
    CopyOf { name: String },
}

impl Declared {
    /// The parameters.
    pub fn parameters(&self) -> Vec<Parameter> {
        let parameters = self.parameters.iter().map(|declared| {
            let init = match declared.init.clone() {
                DeclaredInit::Zeros => Init::Zeros,
                DeclaredInit::Normal { std } => Init::Normal { std },
                DeclaredInit::Uniform { bound } => Init::Uniform { bound },
                DeclaredInit::Words { text } => Init::Words(text),
                DeclaredInit::WordsAfterZeros { text } => Init::WordsAfterZeros(text),
                DeclaredInit::FromBackbone { tower, name } => Init::FromBackbone(tower, name),
                DeclaredInit::ImageProjection => Init::ImageProjection,
                DeclaredInit::CopyOf { name } => Init::CopyOf(name),
            };
            let mut parameter = Parameter::new(&declared.name, &declared.shape, init);
            if let Some(axis) = declared.class_axis {
                parameter = parameter.per_class(axis);
            }
            if declared.optional {
                parameter = parameter.optional();
            }
            match declared.fixed {
                true => parameter.fixed(),
                false => parameter,
            }
        });
        parameters.collect()
    }
}
