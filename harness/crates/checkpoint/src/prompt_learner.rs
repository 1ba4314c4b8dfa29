//! Prompt learners of CoOp and Dassl as module files.
//!
//! Their state has `ctx`, which CoOp learns, and `token_prefix` and `token_suffix`:
//! embeddings of the class prompts, which CoOp's own code recomputes for every backbone.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use harness_abi::wire::ModuleHeader;
use safetensors::{Dtype, SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint::{Converted, convert};
use crate::error::ConvertError;
use crate::options::Options;

const CARRIED: &str = "ctx";
const RECOMPUTED: [&str; 2] = ["token_prefix", "token_suffix"];

/// How a prompt learner was trained, which its checkpoint does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The backbone it was trained on.
    pub source: String,
    pub dataset: String,
    /// Class ids in the order of training; needed if the context is per class.
    pub classes: Vec<String>,
    pub seed: u64,
    /// Words that the context was initialised with; `None` for random numbers.
    pub init: Option<String>,
}

/// Writes the module file of a prompt learner's checkpoint, as [`convert`] writes weights.
///
/// # Errors
/// As for [`convert`], and the checkpoint is not a prompt learner of CoOp. Then there is no
/// file at `output`.
pub fn convert_prompt_learner(
    input: &Path,
    output: &Path,
    options: &Options,
    record: &TrainingRecord,
) -> Result<Converted, ConvertError> {
    let converted = convert(input, output, options)?;
    let module = make_module(input, output, options, record, converted);
    if module.is_err() {
        fs_err::remove_file(output)?;
    }
    module
}

/// Replaces the weights at `output` by the module of them.
fn make_module(
    input: &Path,
    output: &Path,
    options: &Options,
    trained: &TrainingRecord,
    mut converted: Converted,
) -> Result<Converted, ConvertError> {
    let wrong = |reason: String| ConvertError::PromptLearner {
        path: input.to_owned(),
        reason,
    };
    let names = converted.tensors.keys().map(String::as_str);
    let surplus: Vec<&str> = names
        .filter(|name| *name != CARRIED && !RECOMPUTED.contains(name))
        .collect();
    if let Some(first) = surplus.first() {
        let count = surplus.len();
        return Err(wrong(format!(
            "found {count} other tensors, such as `{first}`; drop one with --leave-out NAME"
        )));
    }
    let bytes = fs_err::read(output)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let ctx = tensors
        .tensor(CARRIED)
        .map_err(|_| wrong(format!("no tensor `{CARRIED}`")))?;
    if ctx.dtype() != Dtype::F32 {
        return Err(wrong(format!(
            "`{CARRIED}`: expected F32 or half precision, found {:?}",
            ctx.dtype()
        )));
    }
    let (numbers, _) = ctx.data().as_chunks::<4>();
    let mut numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
    if let Some(bad) = numbers.find(|number| !number.is_finite()) {
        return Err(wrong(format!("`{CARRIED}` contains {bad}")));
    }
    let (length, class_specific) = match *ctx.shape() {
        [length, _] => (length, false),
        [classes, length, _] if classes == trained.classes.len() => (length, true),
        [classes, _, _] => {
            let named = trained.classes.len();
            return Err(wrong(format!(
                "`{CARRIED}` has {classes} classes, but --classes lists {named}"
            )));
        }
        ref other => {
            return Err(wrong(format!(
                "`{CARRIED}`: expected the shape [M, width] or [classes, M, width], found {other:?}"
            )));
        }
    };
    let header = header(trained, length, class_specific);
    let header = serde_json::to_string(&header).map_err(|error| wrong(error.to_string()))?;
    let mut metadata: HashMap<String, String> = options.metadata.clone().into_iter().collect();
    metadata.insert(ModuleHeader::KEY.to_owned(), header);
    let shape = ctx.shape().iter().map(|side| *side as u64).collect();
    let module = serialize([(CARRIED, ctx)], Some(metadata));
    let module = module.map_err(|error| wrong(error.to_string()))?;
    harness_store::write_atomically(output, &module)?;
    let names = converted.tensors.keys();
    let dropped = names.filter(|name| *name != CARRIED).cloned();
    converted.left_out.extend(dropped);
    converted.tensors = BTreeMap::from([(CARRIED.to_owned(), shape)]);
    converted.bytes = module.len() as u64;
    Ok(converted)
}

/// The header of the module, with the whole configuration of the method `coop`.
fn header(trained: &TrainingRecord, length: usize, class_specific: bool) -> ModuleHeader {
    ModuleHeader {
        format: ModuleHeader::FORMAT.to_owned(),
        plugin: "harness convert".to_owned(),
        plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
        method: "coop".to_owned(),
        config: json!({
            "context": {
                "length": length,
                "init": trained.init,
                "class_token_position": "end",
                "layer": 0,
            },
            "class_specific": class_specific,
        }),
        source: trained.source.clone(),
        dataset: trained.dataset.clone(),
        classes: trained.classes.clone(),
        seed: trained.seed,
        origin: None,
    }
}
