//! Prompt learners of CoOp and Dassl as module files.
//!
//! Their state has `ctx`, which is what CoOp learns, and `token_prefix` and
//! `token_suffix`, embeddings of the class prompts that its own code writes anew for
//! every backbone.

use std::collections::{BTreeMap, HashMap};

use harness_abi::wire::ModuleHeader;
use harness_checkpoint::Converted;
use safetensors::{Dtype, SafeTensors, serialize};
use serde_json::json;

use super::error::ConversionError;
use super::job::{Answer, Job, Trained};

const CARRIED: &str = "ctx";
const RECOMPUTED: [&str; 2] = ["token_prefix", "token_suffix"];

/// Makes the module of the weights that lie at the job's draft, in their place.
pub(super) fn make_module(job: &Job, trained: &Trained, mut converted: Converted) -> Answer {
    let wrong = |reason: String| {
        ConversionError::Input(format!(
            "{}: no prompt learner of CoOp: {reason}",
            job.input.display()
        ))
    };
    let unwritten = |error: std::io::Error| ConversionError::Output {
        path: job.draft.clone(),
        reason: error.to_string(),
    };
    let names = converted.tensors.keys().map(String::as_str);
    let surplus: Vec<&str> = names
        .filter(|name| *name != CARRIED && !RECOMPUTED.contains(name))
        .collect();
    if let Some(first) = surplus.first() {
        let count = surplus.len();
        return Err(wrong(format!(
            "it has {count} other tensors, the first is `{first}`; leave one out with --leave-out NAME"
        )));
    }
    let bytes = fs_err::read(&job.draft).map_err(unwritten)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| wrong(error.to_string()))?;
    let ctx = tensors
        .tensor(CARRIED)
        .map_err(|_| wrong(format!("it has no tensor `{CARRIED}`")))?;
    if ctx.dtype() != Dtype::F32 {
        return Err(wrong(format!(
            "`{CARRIED}` is {:?}, expected F32 or half precision",
            ctx.dtype()
        )));
    }
    let (numbers, _) = ctx.data().as_chunks::<4>();
    let mut numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
    if let Some(bad) = numbers.find(|number| !number.is_finite()) {
        return Err(wrong(format!("`{CARRIED}` holds {bad}")));
    }
    let (length, class_specific) = match *ctx.shape() {
        [length, _] => (length, false),
        [classes, length, _] if classes == trained.classes.len() => (length, true),
        [classes, _, _] => {
            let named = trained.classes.len();
            return Err(wrong(format!(
                "`{CARRIED}` is for {classes} classes, --classes names {named}"
            )));
        }
        ref other => {
            return Err(wrong(format!(
                "`{CARRIED}` is {other:?}, expected [M, width] or [classes, M, width]"
            )));
        }
    };
    let header = header(trained, length, class_specific);
    let header = serde_json::to_string(&header).map_err(|error| wrong(error.to_string()))?;
    let mut metadata: HashMap<String, String> = job.options.metadata.clone().into_iter().collect();
    metadata.insert(ModuleHeader::KEY.to_owned(), header);
    let shape = ctx.shape().iter().map(|side| *side as u64).collect();
    let module = serialize([(CARRIED, ctx)], Some(metadata));
    let module = module.map_err(|error| wrong(error.to_string()))?;
    fs_err::write(&job.draft, &module).map_err(unwritten)?;
    let names = converted.tensors.keys();
    let dropped = names.filter(|name| *name != CARRIED).cloned();
    converted.left_out.extend(dropped);
    converted.tensors = BTreeMap::from([(CARRIED.to_owned(), shape)]);
    converted.bytes = module.len() as u64;
    Ok(converted)
}

/// The header, with the whole configuration of the method `coop` that it stands for.
fn header(trained: &Trained, length: usize, class_specific: bool) -> ModuleHeader {
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
    }
}
