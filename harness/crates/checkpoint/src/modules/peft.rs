//! PEFT's LoRA folders on transformers' CLIP: `adapter_config.json` beside `adapter_model.*`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::lora::{Tower, Updates, module, rank};
use super::module::Module;
use super::weights::Weights;

/// Name of the configuration.
const CONFIG: &str = "adapter_config.json";
/// Projections, and their names in transformers.
const PROJECTIONS: [(&str, &str); 4] = [
    ("q", "q_proj"),
    ("k", "k_proj"),
    ("v", "v_proj"),
    ("out", "out_proj"),
];
/// Keys that change what is computed, with what they are here.
const FIXED: [(&str, &str); 9] = [
    ("peft_type", "\"LORA\""),
    ("use_dora", "false"),
    ("fan_in_fan_out", "false"),
    ("bias", "\"none\""),
    ("lora_bias", "false"),
    ("rank_pattern", "{}"),
    ("alpha_pattern", "{}"),
    ("modules_to_save", "null"),
    ("layer_replication", "null"),
];

/// The configuration beside a PEFT adapter, if it is one.
pub(super) fn configuration(input: &Path) -> Option<PathBuf> {
    let path = input.with_file_name(CONFIG);
    let is_adapter = input
        .file_stem()
        .is_some_and(|stem| stem == "adapter_model");
    (is_adapter && path.is_file()).then_some(path)
}

pub(super) fn convert(weights: &mut Weights, path: &Path) -> Result<Module, String> {
    let text = fs_err::read(path).map_err(|error| error.to_string())?;
    let config: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let wrong = |key: &str, reason: String| format!("{}: `{key}`: {reason}", path.display());
    for (key, expected) in FIXED {
        let found = config.get(key).filter(|value| !value.is_null());
        if let Some(found) = found.map(Value::to_string)
            && found != expected
            && found != "[]"
        {
            return Err(wrong(
                key,
                format!("{found} is not supported; only {expected} is"),
            ));
        }
    }
    let updates = updates(weights)?;
    let rank = rank(&updates)?;
    if config.get("r").and_then(Value::as_u64) != Some(rank as u64) {
        return Err(wrong(
            "r",
            format!("expected {rank}, the rank of the matrices"),
        ));
    }
    let alpha = config.get("lora_alpha").and_then(Value::as_f64);
    let alpha = alpha.ok_or_else(|| wrong("lora_alpha", "expected a number".to_owned()))?;
    // PEFT scales by alpha / r, or with rank stabilisation by alpha over the root of r.
    let is_stabilised = config.get("use_rslora") == Some(&Value::Bool(true));
    let alpha = match is_stabilised {
        true => alpha,
        false => alpha / (rank as f64).sqrt(),
    };
    module(updates, rank, alpha)
}

fn updates(weights: &mut Weights) -> Result<Updates, String> {
    let mut updates = Updates::new();
    let names: Vec<String> = weights.names().map(str::to_owned).collect();
    for a in names.iter().filter(|name| name.contains(".lora_A.")) {
        let Some(site) = site(a) else {
            return Err(format!(
                "`{a}`: only the attention projections q_proj, k_proj, v_proj and out_proj of \
                 transformers' CLIP are supported"
            ));
        };
        let b = a.replace(".lora_A.", ".lora_B.");
        updates.insert(site, (weights.take(a)?, weights.take(&b)?));
    }
    Ok(updates)
}

/// `…text_model.encoder.layers.N.self_attn.q_proj.lora_A.weight`.
fn site(name: &str) -> Option<(Tower, usize, &'static str)> {
    let (tower, rest) = [
        (Tower::Text, "text_model."),
        (Tower::Image, "vision_model."),
    ]
    .into_iter()
    .find_map(|(tower, model)| Some((tower, name.split_once(model)?.1)))?;
    let (block, rest) = rest.strip_prefix("encoder.layers.")?.split_once('.')?;
    let (projection, _) = rest.strip_prefix("self_attn.")?.split_once(".lora_A.")?;
    let (projection, _) = PROJECTIONS.iter().find(|(_, name)| *name == projection)?;
    Some((tower, block.parse().ok()?, projection))
}
