//! Converts a module, whatever method it is of.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use harness_abi::wire::ModuleHeader;
use safetensors::{Dtype, serialize, tensor::TensorView};
use serde_json::Value;

use super::method::ModuleMethod;
use super::module::Module;
use super::record::TrainingRecord;
use super::weights::Weights;
use super::{bottleneck, cache, context, deep, lora, maple, peft};
use crate::checkpoint::Converted;
use crate::error::ConvertError;
use crate::inspect::{Inspected, inspect};
use crate::options::Options;

/// Writes the module file of a checkpoint that a method's public repository, or PEFT, saved.
///
/// # Errors
/// As for [`convert`](crate::convert), and the checkpoint is not of the method. Then there is
/// no file at `output`, or still the one that was there.
pub fn convert_module(
    input: &Path,
    output: &Path,
    options: &Options,
    record: &TrainingRecord,
) -> Result<Converted, ConvertError> {
    let wrong = |reason: String| ConvertError::Module {
        path: input.to_owned(),
        title: record.method.title(),
        reason,
    };
    let inspected = inspect(input, options)?;
    if !inspected.methods.contains(&record.method) {
        return Err(wrong(other(&inspected)));
    }
    let mut weights = Weights::read(input, options)?;
    let mut module = read(&mut weights, record, input).map_err(wrong)?;
    let left: Vec<&str> = weights.names().collect();
    if let Some(first) = left.first() {
        let count = left.len();
        return Err(wrong(format!(
            "found {count} other tensors, such as `{first}`; drop one with --leave-out NAME"
        )));
    }
    set(&mut module.config, record).map_err(wrong)?;
    write(module, output, options, record, weights).map_err(|error| match error {
        WriteError::Io(error) => error.into(),
        WriteError::Unusable(reason) => wrong(reason),
    })
}

/// Sets the keys of the configuration that the user gives. Modules have whole configurations.
fn set(config: &mut Value, record: &TrainingRecord) -> Result<(), String> {
    for (key, value) in &record.config {
        let Some(known) = config.get_mut(key) else {
            let keys: Vec<&str> = config
                .as_object()
                .into_iter()
                .flat_map(|config| config.keys().map(String::as_str))
                .collect();
            return Err(format!(
                "--config: {} has no key `{key}`; its keys are {}",
                record.method.id(),
                keys.join(", ")
            ));
        };
        *known = match (known.is_f64(), value.as_f64()) {
            (true, Some(number)) => Value::from(number),
            _ => value.clone(),
        };
    }
    Ok(())
}

/// What the file is instead.
fn other(inspected: &Inspected) -> String {
    let methods = inspected.methods.iter();
    let titles: Vec<&str> = methods.clone().map(|method| method.title()).collect();
    let options: Vec<String> = methods
        .map(|method| format!("--module {}", method.id()))
        .collect();
    if titles.is_empty() {
        let first = inspected.tensors.keys().next();
        let first = first.map_or_else(String::new, |name| format!(", such as `{name}`"));
        return format!("its tensors{first} are those of no known method");
    }
    format!(
        "its tensors are those of a {}; use {}",
        titles.join(" or "),
        options.join(" or ")
    )
}

fn read(weights: &mut Weights, record: &TrainingRecord, input: &Path) -> Result<Module, String> {
    match record.method {
        ModuleMethod::Coop
        | ModuleMethod::Kgcoop
        | ModuleMethod::Prograd
        | ModuleMethod::Cocoop
        | ModuleMethod::Tcp => context::convert(weights, record),
        ModuleMethod::Maple => maple::convert(weights, record),
        ModuleMethod::Ivlp | ModuleMethod::Promptsrc | ModuleMethod::DeepLanguage => {
            deep::convert(weights, record)
        }
        ModuleMethod::Vpt => deep::convert_vpt(weights),
        ModuleMethod::ClipLora => match peft::configuration(input) {
            Some(config) => peft::convert(weights, &config),
            None => lora::convert(weights),
        },
        ModuleMethod::TipAdapter | ModuleMethod::TipAdapterF => {
            cache::convert(weights, record, input)
        }
        ModuleMethod::Taskres => bottleneck::convert_residuals(weights, record),
        ModuleMethod::ClipAdapter => bottleneck::convert_adapter(weights),
    }
}

enum WriteError {
    Io(std::io::Error),
    Unusable(String),
}

fn write(
    module: Module,
    output: &Path,
    options: &Options,
    record: &TrainingRecord,
    weights: Weights,
) -> Result<Converted, WriteError> {
    let unusable = |error: &dyn std::fmt::Display| WriteError::Unusable(error.to_string());
    let header = header(record, module.config);
    header.check().map_err(|error| unusable(&error))?;
    let header = serde_json::to_string(&header).map_err(|error| unusable(&error))?;
    let mut metadata: HashMap<String, String> = options.metadata.clone().into_iter().collect();
    metadata.insert(ModuleHeader::KEY.to_owned(), header);
    let buffers = module.tensors.iter().map(|(name, weight)| {
        let bytes: Vec<u8> = weight
            .values
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        (name.clone(), weight.shape.clone(), bytes)
    });
    let buffers: Vec<_> = buffers.collect();
    let mut views = Vec::new();
    for (name, shape, bytes) in &buffers {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        views.push((name, view.map_err(|error| unusable(&error))?));
    }
    let bytes = serialize(views, Some(metadata)).map_err(|error| unusable(&error))?;
    harness_store::write_atomically(output, &bytes).map_err(WriteError::Io)?;
    let shapes = module.tensors.into_iter().map(|(name, weight)| {
        let shape = weight.shape.iter().map(|side| *side as u64).collect();
        (name, shape)
    });
    Ok(Converted {
        tensors: shapes.collect::<BTreeMap<_, _>>(),
        bytes: bytes.len() as u64,
        left_out: weights.left_out.into_iter().collect(),
        notes: weights.notes,
    })
}

fn header(record: &TrainingRecord, config: Value) -> ModuleHeader {
    ModuleHeader {
        format: ModuleHeader::FORMAT.to_owned(),
        plugin: "harness convert".to_owned(),
        plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
        method: record.method.id().to_owned(),
        config,
        source: record.source.clone(),
        dataset: record.dataset.clone(),
        classes: record.classes.clone(),
        seed: record.seed,
        origin: None,
    }
}
