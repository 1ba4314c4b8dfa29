//! Modules as they come from the host.

use harness_abi::wire::{ModuleHeader, ParameterShape, Setting};
use serde_json::Value;

use crate::{Error, Parameters, Result, module};

/// A module with all its classes. Tensors share memory with those in use, except where
/// only some classes are in use.
pub(super) struct CarriedModule {
    pub(super) header: ModuleHeader,
    pub(super) tensors: Parameters,
}

/// A module of a method as it is carried, and its tensors for the backbone and classes of a
/// setting.
pub(super) fn read(
    bytes: &[u8],
    (id, config): (&str, &Value),
    declared: &[ParameterShape],
    setting: &Setting,
) -> Result<(CarriedModule, Parameters)> {
    let (header, tensors) = module::load(bytes)?;
    if header.method != id {
        return Err(Error::Module(format!(
            "it was trained by method `{}`, expected `{id}`",
            header.method
        )));
    }
    if header.config != *config {
        return Err(Error::Module(format!(
            "it was trained with configuration {}, expected {config}",
            header.config
        )));
    }
    let selected = module::select_classes(&tensors, declared, &header, &setting.task)?;
    let parameters = module::fit(&selected, declared, &setting.backbone.name)?;
    Ok((CarriedModule { header, tensors }, parameters))
}

/// The header of a module that is trained on a backbone and task.
pub(super) fn header(
    (plugin, version): (&str, &str),
    (id, config): (&str, Value),
    setting: &Setting,
    seed: u64,
) -> ModuleHeader {
    let Setting { backbone, task, .. } = setting;
    ModuleHeader {
        format: ModuleHeader::FORMAT.to_owned(),
        plugin: plugin.to_owned(),
        plugin_version: version.to_owned(),
        method: id.to_owned(),
        config,
        source: backbone.name.clone(),
        dataset: task.dataset.clone(),
        classes: task.classes.iter().map(|c| c.id.clone()).collect(),
        seed,
        origin: None,
    }
}
