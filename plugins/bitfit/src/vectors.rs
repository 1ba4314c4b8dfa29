//! Biases and gains of the towers as parameters, and back as edits.

use harness_sdk::{
    Edits, Error, Init, Parameter, Parameters, Result,
    wire::{self, NamedParameter, Setting, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the target's own values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The module holds the trained values, which take their place.
    Replace,
    /// The module holds what training added, which is added to them.
    Delta,
}

impl Mode {
    fn on_the_wire(self) -> wire::BiasMode {
        match self {
            Self::Replace => wire::BiasMode::Replace,
            Self::Delta => wire::BiasMode::Delta,
        }
    }
}

fn prefix(tower: Tower) -> &'static str {
    match tower {
        Tower::Text => "text.",
        Tower::Image => "image.",
    }
}

/// The vectors of a backbone that `wanted` picks, as `text.blocks.0.ln_1.bias`.
///
/// Those of the image tower are optional: towers of other architectures are built
/// otherwise, while text towers differ in numbers alone.
pub(crate) fn parameters(
    setting: &Setting,
    mode: Mode,
    wanted: impl Fn(&NamedParameter) -> bool,
) -> Result<Vec<Parameter>> {
    let backbone = &setting.backbone;
    let vectors = backbone.parameters.iter().filter(|p| p.shape.len() == 1);
    let parameters: Vec<Parameter> = vectors
        .filter(|p| wanted(p))
        .map(|p| {
            let name = format!("{}{}", prefix(p.tower), p.name);
            let init = match mode {
                Mode::Replace => Init::Own(p.tower, p.name.clone()),
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
            "{} offers none of the biases or gains that the method trains",
            backbone.name
        )));
    }
    Ok(parameters)
}

/// The parameters of one tower as edits.
pub(crate) fn edits(parameters: &Parameters, tower: Tower, mode: Mode) -> Edits {
    let mut edits = Edits::of(tower);
    for (name, value) in parameters.iter() {
        if let Some(name) = name.strip_prefix(prefix(tower)) {
            edits = edits.bias(name, mode.on_the_wire(), value);
        }
    }
    edits
}
