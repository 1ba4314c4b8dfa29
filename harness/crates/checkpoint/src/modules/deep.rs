//! Prompts in the blocks of the towers: IVLP, PromptSRC, deep language prompting, VPT.
//!
//! Their repositories save whole models: the context under `prompt_learner`, the other tokens in
//! the blocks that they enter.

use serde_json::{Value, json};

use super::context::{context, leave_out_prompts};
use super::method::ModuleMethod;
use super::module::Module;
use super::record::TrainingRecord;
use super::weights::{Weight, Weights};

const TEXT: &str = "text_encoder.transformer.resblocks.";
const IMAGE: &str = "image_encoder.transformer.resblocks.";
const TOKENS: &str = ".VPT_shallow";
/// Tokens at the image input.
const INPUT: &str = "image_encoder.VPT";
/// The prompt of the VPT baseline.
const TEMPLATE: &str = "a photo of a {}.";

/// Prompts of both towers, or of the text tower alone.
pub(super) fn convert(weights: &mut Weights, record: &TrainingRecord) -> Result<Module, String> {
    let ctx = weights.take("ctx")?;
    leave_out_prompts(weights, record, &ctx)?;
    let [length, _] = ctx.sides("ctx")?;
    let text = weights.take_numbered(TEXT, 1, TOKENS)?;
    if record.method == ModuleMethod::DeepLanguage {
        let depth = 1 + text.len();
        let words = record.init.as_deref().unwrap_or_default();
        let fixed = words.split_whitespace().count().saturating_sub(length);
        if fixed > 0 {
            return Err(format!(
                "the last {fixed} words of --init are not learned, which deep-language does not have; \
                 say the words that `ctx` replaced"
            ));
        }
        let mut tensors = vec![("ctx".to_owned(), ctx)];
        tensors.extend(numbered("layer", text));
        return Ok(Module {
            tensors,
            config: json!({"context": context(length, record), "depth": depth}),
        });
    }
    let tokens = weights.take(INPUT)?;
    let [image_tokens, _] = tokens.sides(INPUT)?;
    let image = weights.take_numbered(IMAGE, 1, TOKENS)?;
    if text.len() != image.len() {
        return Err(format!(
            "prompts enter {} text blocks and {} image blocks; the method has one depth",
            1 + text.len(),
            1 + image.len()
        ));
    }
    let mut config = json!({
        "text_tokens": length,
        "image_tokens": image_tokens,
        "depth": 1 + text.len(),
        "init": record.init.as_deref().unwrap_or_default(),
    });
    if record.method == ModuleMethod::Promptsrc {
        for (key, weight) in [
            ("text_weight", 25.0),
            ("image_weight", 10.0),
            ("logit_weight", 1.0),
        ] {
            config[key] = json!(weight);
        }
        // The saved prompts are already the average over the epochs.
        config["average"] = Value::Null;
        config["teacher_templates"] = Value::Null;
    }
    let mut tensors = vec![("ctx".to_owned(), ctx)];
    tensors.extend(numbered("text", text));
    tensors.push(("tokens".to_owned(), tokens));
    tensors.extend(numbered("image", image));
    Ok(Module { tensors, config })
}

/// Prompts of the image tower alone.
pub(super) fn convert_vpt(weights: &mut Weights) -> Result<Module, String> {
    let tokens = weights.take(INPUT)?;
    let [count, _] = tokens.sides(INPUT)?;
    let layers = weights.take_numbered(IMAGE, 1, TOKENS)?;
    let depth = 1 + layers.len();
    let mut tensors = vec![("tokens".to_owned(), tokens)];
    tensors.extend(numbered("layer", layers));
    Ok(Module {
        tensors,
        config: json!({"tokens": count, "depth": depth, "template": TEMPLATE}),
    })
}

fn numbered(name: &str, weights: Vec<Weight>) -> impl Iterator<Item = (String, Weight)> {
    let named = (1..).zip(weights);
    named.map(move |(block, weight)| (format!("{name}{block}"), weight))
}
