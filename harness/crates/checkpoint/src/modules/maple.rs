//! MaPLe: text prompts, and the linear maps that make image prompts of them.

use serde_json::json;

use super::context::leave_out_prompts;
use super::module::Module;
use super::record::TrainingRecord;
use super::weights::Weights;

const TEXT: &str = "compound_prompts_text.";
const MAPS: &str = "compound_prompt_projections.";

pub(super) fn convert(weights: &mut Weights, record: &TrainingRecord) -> Result<Module, String> {
    let ctx = weights.take("ctx")?;
    leave_out_prompts(weights, record, &ctx)?;
    let [tokens, _] = ctx.sides("ctx")?;
    let text = weights.take_numbered(TEXT, 0, "")?;
    let mut maps = vec![(weights.take("proj.weight")?, weights.take("proj.bias")?)];
    let deeper = weights.take_numbered(MAPS, 0, ".weight")?;
    maps.extend(
        deeper
            .into_iter()
            .zip(weights.take_numbered(MAPS, 0, ".bias")?),
    );
    let depth = 1 + text.len();
    if maps.len() != depth {
        return Err(format!(
            "{} text prompts, but {} maps to image prompts",
            depth,
            maps.len()
        ));
    }
    let mut tensors = vec![("ctx".to_owned(), ctx)];
    let named = (1..).zip(text);
    tensors.extend(named.map(|(block, weight)| (format!("text{block}"), weight)));
    for (block, (w, b)) in maps.into_iter().enumerate() {
        tensors.push((format!("proj{block}.w"), w));
        tensors.push((format!("proj{block}.b"), b));
    }
    let init = record.init.as_deref().unwrap_or_default();
    Ok(Module {
        tensors,
        config: json!({"tokens": tokens, "depth": depth, "init": init}),
    })
}
