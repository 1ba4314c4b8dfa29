//! Time of the image tower without a graph against the graph of candle operations, one thread, in
//! alternating runs, with the machine's matrix throughput beside it.
//!
//! `RAYON_NUM_THREADS=1 cargo run -p harness-backbone --example image_tower -- BACKBONE [IMAGES]...`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use harness_backbone::Backbone;

/// Alternating runs of each; the fastest counts.
const RUNS: usize = 5;
/// Least time of a run, so that small towers are timed over many calls.
const LEAST: f64 = 0.2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("expected the folder of a backbone")?;
    let batches: Vec<usize> = args.map(|n| n.parse()).collect::<Result<_, _>>()?;
    let batches = match batches.is_empty() {
        true => vec![1, 8, 32, 64],
        false => batches,
    };
    let backbone = Backbone::load(Path::new(&folder))?;
    let (tower, dims) = (backbone.image(), &backbone.dims().image);
    println!("sgemm     {:.0} GFLOP/s", sgemm()? / 1e9);
    println!(
        "tower     {folder}, {} px, {} blocks of {}",
        dims.image_size, dims.layers, dims.width
    );
    println!("images    slices ms  graph ms  slices/graph  (an image)");
    for images in batches {
        let side = dims.image_size;
        let pixels = Tensor::randn(0f32, 1.0, (images, 3, side, side), &Device::Cpu)?;
        let (mut slices, mut graph) = (f64::MAX, f64::MAX);
        for _ in 0..RUNS {
            slices = slices.min(seconds(|| Ok(tower.encode(&pixels).map(drop)?))?);
            graph = graph.min(seconds(|| {
                Ok(tower.encode_by_operations(&pixels, &[]).map(drop)?)
            })?);
        }
        let each = 1e3 / images as f64;
        println!(
            "{images:6} {:12.3} {:9.3} {:13.2}",
            slices * each,
            graph * each,
            slices / graph
        );
    }
    Ok(())
}

/// Seconds of a call, over enough calls.
fn seconds(mut f: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let (start, mut calls) = (Instant::now(), 0.0);
    while calls == 0.0 || start.elapsed().as_secs_f64() < LEAST {
        f()?;
        calls += 1.0;
    }
    Ok(start.elapsed().as_secs_f64() / calls)
}

/// Operations a second of a large matrix product.
fn sgemm() -> Result<f64, Box<dyn Error>> {
    const SIDE: usize = 768;
    let a = Tensor::ones((SIDE, SIDE), candle_core::DType::F32, &Device::Cpu)?;
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        best = best.min(seconds(|| Ok(a.matmul(&a).map(drop)?))?);
    }
    Ok(2.0 * (SIDE as f64).powi(3) / best)
}
