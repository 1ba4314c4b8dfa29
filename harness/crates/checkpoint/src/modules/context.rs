//! Prompt learners with a context at the text input: CoOp, KgCoOp, ProGrad, CoCoOp, TCP.

use serde_json::{Value, json};

use super::method::ModuleMethod;
use super::module::Module;
use super::record::TrainingRecord;
use super::weights::{Weight, Weights};

/// Tensors that KgCoOp's reference creates and never uses.
const UNUSED: [&str; 7] = [
    "bias_vectors",
    "meta_net.linear1.weight",
    "meta_net.linear1.bias",
    "meta_net.linear2.weight",
    "meta_net.linear2.bias",
    "adapter.fc.0.weight",
    "adapter.fc.2.weight",
];
/// Parameters of the small network of CoCoOp and TCP, and their names in the references.
const META_NET: [(&str, &str); 4] = [
    ("w1", "meta_net.linear1.weight"),
    ("b1", "meta_net.linear1.bias"),
    ("w2", "meta_net.linear2.weight"),
    ("b2", "meta_net.linear2.bias"),
];

/// The context, and for CoCoOp and TCP the network beside it.
pub(super) fn convert(weights: &mut Weights, record: &TrainingRecord) -> Result<Module, String> {
    let ctx = weights.take("ctx")?;
    leave_out_prompts(weights, record, &ctx)?;
    if record.method == ModuleMethod::Kgcoop {
        for name in UNUSED {
            weights.leave_out(name);
        }
    }
    let is_coop = record.method == ModuleMethod::Coop;
    let (length, class_specific) = match *ctx.shape.as_slice() {
        [length, _] => (length, false),
        [classes, length, _] if is_coop => {
            record.check_classes("ctx", classes)?;
            (length, true)
        }
        ref other => {
            let classes = if is_coop {
                " or [classes, M, width]"
            } else {
                ""
            };
            return Err(format!(
                "`ctx`: expected the shape [M, width]{classes}, found {other:?}"
            ));
        }
    };
    let context = context(length, record);
    let mut tensors = vec![("ctx".to_owned(), ctx)];
    let config = match record.method {
        ModuleMethod::Coop => json!({"context": context, "class_specific": class_specific}),
        ModuleMethod::Kgcoop => json!({"context": context, "weight": 8.0}),
        ModuleMethod::Prograd => {
            json!({"context": context, "lambda": 1.0, "temperature": 1.0})
        }
        method => {
            for (parameter, name) in META_NET {
                tensors.push((parameter.to_owned(), weights.take(name)?));
            }
            match method {
                ModuleMethod::Tcp => {
                    weights.notes.push(
                        "TCP's reference keeps the words of its templates after the class name, such as \
                         \", a type of pet\"; say them with --config '{\"suffix\": \", a type of pet.\"}'"
                            .to_owned(),
                    );
                    json!({"context": context, "layer": null, "suffix": ".", "weight": 8.0})
                }
                _ => json!({"context": context}),
            }
        }
    };
    Ok(Module { tensors, config })
}

/// The configuration of a learned context.
pub(super) fn context(length: usize, record: &TrainingRecord) -> Value {
    json!({
        "length": length,
        "init": record.init,
        "class_token_position": "end",
        "layer": 0,
    })
}

/// Leaves out the embeddings of the class prompts, which every backbone recomputes, after a
/// check that they belong to the context and to the classes given.
pub(super) fn leave_out_prompts(
    weights: &mut Weights,
    record: &TrainingRecord,
    ctx: &Weight,
) -> Result<(), String> {
    for name in ["token_prefix", "token_suffix", "token_midfix"] {
        let Some(found) = weights.leave_out(name) else {
            continue;
        };
        let [classes, _, width] = *found.shape.as_slice() else {
            let shape = &found.shape;
            return Err(format!(
                "`{name}`: expected the shape [classes, tokens, width], found {shape:?}"
            ));
        };
        if ctx.shape.last() != Some(&width) {
            let ctx = &ctx.shape;
            return Err(format!(
                "`{name}` has the width {width}, but `ctx` the shape {ctx:?}"
            ));
        }
        if !record.classes.is_empty() {
            record.check_classes(name, classes)?;
        }
    }
    Ok(())
}
