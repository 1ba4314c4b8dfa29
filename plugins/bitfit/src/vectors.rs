//! Biases and gains of the towers as parameters and as edits.

use harness_sdk::{
    Edits, Error, Init, Parameter, Parameters, Result,
    wire::{BiasMode, NamedParameter, Setting, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the module changes the target's own values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The module holds the trained values, which replace them.
    Replace,
    /// The module holds the change from the source, which is added to them.
    Delta,
}

impl From<Mode> for BiasMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Replace => Self::Replace,
            Mode::Delta => Self::Delta,
        }
    }
}

fn prefix(tower: Tower) -> &'static str {
    match tower {
        Tower::Text => "text.",
        Tower::Image => "image.",
    }
}

/// The biases and gains of a backbone for which `is_trained` holds, named like
/// `text.blocks.0.ln_1.bias`.
///
/// Those of the image tower are optional: image towers differ in architecture, text
/// towers only in size.
pub(crate) fn parameters(
    setting: &Setting,
    mode: Mode,
    is_trained: impl Fn(&NamedParameter) -> bool,
) -> Result<Vec<Parameter>> {
    let backbone = &setting.backbone;
    let vectors = backbone.parameters.iter().filter(|p| p.shape.len() == 1);
    let parameters: Vec<Parameter> = vectors
        .filter(|p| is_trained(p))
        .map(|p| {
            let name = format!("{}{}", prefix(p.tower), p.name);
            let init = match mode {
                Mode::Replace => Init::FromBackbone(p.tower, p.name.clone()),
                Mode::Delta => Init::Zeros,
            };
            let parameter = Parameter::new(&name, &p.shape, init);
            match p.tower {
                Tower::Text => parameter,
                Tower::Image => parameter.optional(),
            }
        })
        .collect();
    if parameters.is_empty() {
        return Err(Error::NotInjectable(format!(
            "{} has none of the biases and gains that the method trains",
            backbone.name
        )));
    }
    Ok(parameters)
}

/// The parameters of one tower as edits.
pub(crate) fn edits(parameters: &Parameters, tower: Tower, mode: Mode) -> Edits {
    let mut edits = Edits::new(tower);
    for (name, value) in parameters.iter() {
        if let Some(name) = name.strip_prefix(prefix(tower)) {
            edits = edits.bias(name, mode.into(), value);
        }
    }
    edits
}
