//! Time of the towers of a backbone on a device: a prompt-learning step and image features, in every
//! precision, and how far features and gradients lie from the CPU's.
//!
//! `cargo run --release -p harness-backbone --features cuda --example device -- MODEL DEVICE`
//!
//! MODEL as in `image_tower`, DEVICE `cpu`, `cuda` or `metal`. `harness/scripts/device.py` times the
//! same shapes in PyTorch.

mod common;

use candle_core::{Device, Tensor, Var};
use common::{Result, median, random, seconds};
use harness_backbone::{Backbone, Precision, PromptBatch, Segment, TextTower, TokenRows};

/// Vectors of the trained context.
const VECTORS: usize = 16;
/// Most tokens of a name, its full stop and the end.
const NAME: usize = 7;
/// Runs of which the median counts.
const RUNS: usize = 5;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let model = args.first().map_or("clip-vit-b16", String::as_str);
    let device = match args.get(1).map(String::as_str) {
        None | Some("cpu") => Device::Cpu,
        Some("cuda") => Device::new_cuda(0)?,
        Some("metal") => Device::new_metal(0)?,
        Some(other) => return Err(format!("expected cpu, cuda or metal, found {other}").into()),
    };
    let host = random(model)?;
    let side = host.dims().image.image_size;
    let pixels = Tensor::randn(0f32, 1.0, (8, 3, side, side), &Device::Cpu)?;
    let (features, gradient) = step(host.text(), 100, true)?;
    let images = host.image().encode(&pixels)?;
    for (name, precision) in Precision::NAMES {
        let placed = host.clone().with_activation_limit(8 << 30);
        let placed = placed.on_device(&device, precision);
        let (found, found_gradient) = step(placed.text(), 100, true)?;
        println!("{model}, {:?}, {name}", device.location());
        println!(
            "  off the CPU's: text features {:.1e}, gradient {:.1e}, image features {:.1e}",
            distance(&found, &features)?,
            distance(&found_gradient, &gradient)?,
            distance(&placed.image().encode(&pixels)?, &images)?,
        );
        steps(&placed)?;
        encodings(&placed, side)?;
    }
    Ok(())
}

/// Times of prompt-learning steps.
fn steps(backbone: &Backbone) -> Result<()> {
    for (classes, shared) in [(100, true), (100, false), (1000, true), (1000, false)] {
        let context = if shared { "shared" } else { "by class" };
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(seconds(|| {
                step(backbone.text(), classes, shared).map(drop)
            })?);
        }
        let (wall, cpu) = median(times);
        println!(
            "  step of {classes:4} classes, context {context:8} {:8.2} ms, {:8.2} ms of CPU",
            1e3 * wall,
            1e3 * cpu
        );
    }
    Ok(())
}

/// Times of image features.
fn encodings(backbone: &Backbone, side: usize) -> Result<()> {
    for images in [64, 256] {
        let pixels = Tensor::randn(0f32, 1.0, (images, 3, side, side), &Device::Cpu)?;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(seconds(|| {
                Ok(backbone.image().encode(&pixels).map(drop)?)
            })?);
        }
        let (wall, _) = median(times);
        println!(
            "  {images:3} images at once {:8.0} images/s",
            images as f64 / wall
        );
    }
    Ok(())
}

/// Features of `[start] ctx name [end]` and the gradient of the context.
fn step(tower: &TextTower, classes: usize, shared: bool) -> Result<(Tensor, Tensor)> {
    let (width, end) = (tower.dims().width, tower.end_token());
    let rows = if shared { 1 } else { classes };
    let values =
        (0..rows * VECTORS * width).map(|i| 0.02 * ((i * 7919 % 1000) as f32 / 500.0 - 1.0));
    let shape = (1, rows, VECTORS, width);
    let context = Tensor::from_iter(values, &Device::Cpu)?.reshape(shape)?;
    let context = Var::from_tensor(&context)?;
    let name = |class: usize| {
        let count = 2 + class % (NAME - 2);
        let tokens = (0..count).map(|i| match i {
            0 => (class % 509) as u32,
            _ => (class.checked_shr(7 * i as u32).unwrap_or(0) % 128) as u32,
        });
        tokens.chain([end]).collect::<Vec<_>>()
    };
    let batch = PromptBatch {
        groups: 1,
        classes,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![end - 1])),
            Segment::Context(context.as_tensor().clone()),
            Segment::Tokens(TokenRows::PerClass((0..classes).map(name).collect())),
        ],
        edits: Vec::new(),
    };
    let features = tower.encode(&batch)?;
    let gradients = features.sqr()?.sum_all()?.backward()?;
    let gradient = gradients
        .get(&context)
        .ok_or("no gradient for the context")?;
    Ok((features, gradient.clone()))
}

/// Largest difference over the largest expected magnitude.
fn distance(found: &Tensor, expected: &Tensor) -> Result<f32> {
    let largest = |t: Tensor| t.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>();
    Ok(largest((found - expected)?)? / largest(expected.clone())?)
}
