//! Time of one prompt-learning step in the text tower (features and gradient of the context), and
//! what its two shortcuts save: cutting after the last end token, and no gradient for frozen weights.
//!
//! `cargo run -p harness-backbone --example text_step -- WIDTH LAYERS CLASSES LENGTH`

use std::collections::HashMap;
use std::time::Instant;

use candle_core::{Device, Result as CandleResult, Tensor, Var};
use harness_backbone::{Backbone, PromptBatch, Segment, TokenRows};

const CONTEXT: usize = 77;
const VOCABULARY: usize = 512;
const STEPS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| match args.next() {
        Some(text) => text.parse::<usize>(),
        None => Ok(default),
    };
    let (width, layers, classes, length) = (number(128)?, number(4)?, number(10)?, number(12)?);
    let heads = (width / 64).max(2);
    let state = state_dict(width, layers)?;
    let config = serde_json::json!({
        "embed_dim": width,
        "quick_gelu": true,
        "text_cfg": {"heads": heads},
        "vision_cfg": {"head_width": width / heads},
    });
    let frozen = Backbone::from_tensors(state.clone(), &config, None)?;
    let tracked: CandleResult<HashMap<String, Tensor>> = state
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), Var::from_tensor(tensor)?.as_tensor().clone())))
        .collect();
    let trained = Backbone::from_tensors(tracked?, &config, None)?;

    let context = Var::randn(0f32, 0.02, (1, 1, 4, width), &Device::Cpu)?;
    let short = batch(&context, classes, length, length);
    // One prompt of full length keeps the whole batch at full length.
    let full = batch(&context, classes, length, CONTEXT);
    let cut = median(|| step(&frozen, &short, &context))?;
    let uncut = median(|| step(&frozen, &full, &context))?;
    let all_gradients = median(|| step(&trained, &short, &context))?;
    println!("width {width}, {layers} blocks, {classes} prompts of {length} tokens");
    println!("step                        {cut:9.2} ms");
    println!("without the cut             {:9.2} x", uncut / cut);
    println!("with gradients of weights   {:9.2} x", all_gradients / cut);
    Ok(())
}

/// `[start] ctx name [end]` for all classes; the last one `longest` tokens long.
fn batch(context: &Var, classes: usize, length: usize, longest: usize) -> PromptBatch {
    let end = (VOCABULARY - 1) as u32;
    let name = |length: usize| {
        let mut row: Vec<u32> = (0..length - 6).map(|i| i as u32 % 500).collect();
        row.push(end);
        row
    };
    let mut rows = vec![name(length); classes - 1];
    rows.push(name(longest));
    PromptBatch {
        groups: 1,
        classes,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![end - 1])),
            Segment::Context(context.as_tensor().clone()),
            Segment::Tokens(TokenRows::PerClass(rows)),
        ],
        edits: Vec::new(),
    }
}

fn step(
    backbone: &Backbone,
    batch: &PromptBatch,
    context: &Var,
) -> Result<(), Box<dyn std::error::Error>> {
    let features = backbone.text().encode(batch)?;
    let grads = features.sqr()?.sum_all()?.backward()?;
    match grads.get(context) {
        Some(_) => Ok(()),
        None => Err("no gradient for the context".into()),
    }
}

/// Median time of a step in milliseconds, after one that warms up.
fn median(
    mut step: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<f64, Box<dyn std::error::Error>> {
    step()?;
    let mut times = Vec::with_capacity(STEPS);
    for _ in 0..STEPS {
        let start = Instant::now();
        step()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[STEPS / 2])
}

/// Random weights in open_clip's layout, with an image tower of one small block.
fn state_dict(width: usize, layers: usize) -> CandleResult<HashMap<String, Tensor>> {
    let mut state = HashMap::new();
    let mut put = |name: String, shape: &[usize]| -> CandleResult<()> {
        let fan = *shape.last().unwrap_or(&1) as f32;
        let tensor = if name.contains("ln_") && name.ends_with("weight") {
            Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu)?
        } else {
            Tensor::randn(0f32, fan.sqrt().recip(), shape, &Device::Cpu)?
        };
        state.insert(name, tensor);
        Ok(())
    };
    for (tower, blocks) in [("", layers), ("visual.", 1)] {
        for block in 0..blocks {
            let at = format!("{tower}transformer.resblocks.{block}.");
            for (name, shape) in [
                ("ln_1.weight", vec![width]),
                ("ln_1.bias", vec![width]),
                ("attn.in_proj_weight", vec![3 * width, width]),
                ("attn.in_proj_bias", vec![3 * width]),
                ("attn.out_proj.weight", vec![width, width]),
                ("attn.out_proj.bias", vec![width]),
                ("ln_2.weight", vec![width]),
                ("ln_2.bias", vec![width]),
                ("mlp.c_fc.weight", vec![4 * width, width]),
                ("mlp.c_fc.bias", vec![4 * width]),
                ("mlp.c_proj.weight", vec![width, 4 * width]),
                ("mlp.c_proj.bias", vec![width]),
            ] {
                put(format!("{at}{name}"), &shape)?;
            }
        }
    }
    for (name, shape) in [
        ("token_embedding.weight", vec![VOCABULARY, width]),
        ("positional_embedding", vec![CONTEXT, width]),
        ("ln_final.weight", vec![width]),
        ("ln_final.bias", vec![width]),
        ("text_projection", vec![width, width]),
        ("logit_scale", vec![]),
        ("visual.class_embedding", vec![width]),
        ("visual.positional_embedding", vec![5, width]),
        ("visual.conv1.weight", vec![width, 3, 8, 8]),
        ("visual.ln_pre.weight", vec![width]),
        ("visual.ln_pre.bias", vec![width]),
        ("visual.ln_post.weight", vec![width]),
        ("visual.ln_post.bias", vec![width]),
        ("visual.proj", vec![width, width]),
    ] {
        put(name.to_owned(), &shape)?;
    }
    Ok(state)
}
