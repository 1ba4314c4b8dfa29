//! Time of a training step through the image tower, features and gradients, by hand against the graph
//! of candle operations, in alternating runs.
//!
//! `cargo run -p harness-backbone --example image_step -- MODEL [IMAGES]...`
//!
//! MODEL is as in `image_tower`. Trained are four tokens at each block (VPT), low-rank changes of
//! rank 4 of queries, keys and values in all blocks (LoRA), and the gains of all norms.
//! `image_tower.py` beside this file times the same in PyTorch.

mod common;

use std::path::Path;

use candle_core::{Device, Tensor, Var};
use common::{Result, median, random, seconds};
use harness_backbone::{Backbone, BiasMode, ImageEdit, ImageTower, WeightEdit};

/// Alternating runs of each, of which the median counts.
const RUNS: usize = 3;
const RANK: usize = 4;
const TOKENS: usize = 4;

type Encode = fn(&ImageTower, &Tensor, &[ImageEdit]) -> harness_backbone::Result<Tensor>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let model = args
        .next()
        .ok_or("expected a model or the folder of a backbone")?;
    let batches: Vec<usize> = args
        .map(|n| n.parse())
        .collect::<std::result::Result<_, _>>()?;
    let batches = match batches.is_empty() {
        true => vec![8, 32],
        false => batches,
    };
    let backbone = match Path::new(&model).is_dir() {
        true => Backbone::load(Path::new(&model))?,
        false => random(&model)?,
    };
    println!("{model}; {} threads", rayon::current_num_threads());
    println!("milliseconds of CPU time an image");
    println!("images  trained  by hand    graph  by hand/graph");
    let side = backbone.dims().image.image_size;
    for images in batches {
        let pixels = Tensor::randn(0f32, 1.0, (images, 3, side, side), &Device::Cpu)?;
        let methods: [(&str, Vec<ImageEdit>); 3] = [
            ("tokens", tokens(&backbone)?),
            ("LoRA", low_rank(&backbone)?),
            ("gains", gains(&backbone)?),
        ];
        for (name, edits) in methods {
            let ways: [Encode; 2] = [ImageTower::encode_edited, ImageTower::encode_by_operations];
            let mut times = [const { Vec::new() }; 2];
            for _ in 0..RUNS {
                for (times, encode) in times.iter_mut().zip(ways) {
                    times.push(seconds(|| {
                        let features = encode(backbone.image(), &pixels, &edits)?;
                        features.sqr()?.sum_all()?.backward()?;
                        Ok(())
                    })?);
                }
            }
            let [by_hand, graph] = times.map(|times| 1e3 * median(times).1 / images as f64);
            let ratio = by_hand / graph;
            println!("{images:6}  {name:7} {by_hand:8.1} {graph:8.1}  {ratio:13.2}");
        }
    }
    Ok(())
}

fn var(shape: &[usize]) -> Result<Tensor> {
    Ok(Var::randn(0f32, 0.02, shape, &Device::Cpu)?
        .as_tensor()
        .clone())
}

fn tokens(backbone: &Backbone) -> Result<Vec<ImageEdit>> {
    let dims = &backbone.dims().image;
    let mut edits = vec![ImageEdit::AppendTokens(var(&[1, TOKENS, dims.width])?)];
    for layer in 1..dims.layers {
        edits.push(ImageEdit::ReplaceTokens {
            layer,
            from_end: TOKENS,
            tokens: var(&[1, TOKENS, dims.width])?,
        });
    }
    Ok(edits)
}

fn low_rank(backbone: &Backbone) -> Result<Vec<ImageEdit>> {
    let parameters = backbone.dims().image_parameters();
    let ends = ["attn.q.weight", "attn.k.weight", "attn.v.weight"];
    let named = parameters
        .iter()
        .filter(|p| ends.iter().any(|end| p.name.ends_with(end)));
    named
        .map(|parameter| {
            Ok(ImageEdit::Weight(WeightEdit::LowRank {
                weight: parameter.name.clone(),
                a: var(&[RANK, parameter.shape[1]])?,
                b: var(&[parameter.shape[0], RANK])?,
                scale: 0.25,
                dropout: None,
            }))
        })
        .collect()
}

fn gains(backbone: &Backbone) -> Result<Vec<ImageEdit>> {
    let parameters = backbone.dims().image_parameters();
    let named = parameters
        .iter()
        .filter(|p| p.name.contains("ln_") && p.name.ends_with("weight"));
    named
        .map(|parameter| {
            Ok(ImageEdit::Weight(WeightEdit::Bias {
                name: parameter.name.clone(),
                mode: BiasMode::Delta,
                value: var(&parameter.shape)?,
            }))
        })
        .collect()
}
