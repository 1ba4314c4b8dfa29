//! Time of the image tower without a graph against the graph of candle operations, in alternating
//! runs, with the speed of plain matrix products beside them.
//!
//! `cargo run -p harness-backbone --example image_tower -- MODEL [IMAGES]...`
//!
//! MODEL is a list of tensors in `harness/fixtures/checkpoints`, such as `eva02-clip-b16`, which is
//! filled with random weights, or the folder of a backbone. `RAYON_NUM_THREADS` sets the threads.
//! `image_tower.py` beside this file times the same shapes in PyTorch.

mod common;

use std::io::Cursor;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use common::{Result, median, random, seconds};
use harness_backbone::{Backbone, ImageTransform};
use image::{ImageFormat, Rgb, RgbImage};

/// Alternating runs of each, of which the median counts.
const RUNS: usize = 5;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let model = args
        .next()
        .ok_or("expected a model or the folder of a backbone")?;
    let batches: Vec<usize> = args
        .map(|n| n.parse())
        .collect::<std::result::Result<_, _>>()?;
    let batches = match batches.is_empty() {
        true => vec![1, 8, 32, 64],
        false => batches,
    };
    let backbone = match Path::new(&model).is_dir() {
        true => Backbone::load(Path::new(&model))?,
        false => random(&model)?,
    };
    let (tower, dims) = (backbone.image(), &backbone.dims().image);
    println!(
        "{model}: {} px, {} blocks of {}; {} threads",
        dims.image_size,
        dims.layers,
        dims.width,
        rayon::current_num_threads()
    );
    println!(
        "{:.2} ms to decode, resize and normalise a JPEG of 500 x 375",
        1e3 * preparation(backbone.transform())?
    );
    println!("milliseconds an image, wall clock and CPU");
    println!("images   slices      CPU     graph      CPU  slices/graph  CPU  products alone");
    for images in batches {
        let side = dims.image_size;
        let pixels = Tensor::randn(0f32, 1.0, (images, 3, side, side), &Device::Cpu)?;
        let mut times = [const { Vec::new() }; 2];
        let mut products: f64 = 0.0;
        for _ in 0..RUNS {
            products = products.max(product_speed()?);
            times[0].push(seconds(|| Ok(tower.encode(&pixels).map(drop)?))?);
            times[1].push(seconds(|| {
                Ok(tower.encode_by_operations(&pixels, &[]).map(drop)?)
            })?);
        }
        let each = 1e3 / images as f64;
        let [(slices, slices_cpu), (graph, graph_cpu)] = times.map(median);
        println!(
            "{images:6} {:8.2} {:8.2}  {:8.2} {:8.2}  {:12.2} {:4.2}  {:.0} GFLOP/s",
            slices * each,
            slices_cpu * each,
            graph * each,
            graph_cpu * each,
            slices / graph,
            slices_cpu / graph_cpu,
            products / 1e9,
        );
    }
    Ok(())
}

/// CPU seconds from a JPEG file in memory to pixels.
fn preparation(transform: &ImageTransform) -> Result<f64> {
    let image = RgbImage::from_fn(500, 375, |x, y| {
        let wave =
            |scale: f32| (127.0 + 127.0 * (x as f32 / scale + (y as f32 / 7.0).sin()).sin()) as u8;
        Rgb([wave(3.0), wave(11.0), wave(29.0)])
    });
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Jpeg)?;
    let (_, cpu) = seconds(|| {
        transform.apply(&image::load_from_memory(file.get_ref())?.into_rgb8())?;
        Ok(())
    })?;
    Ok(cpu)
}

/// Floating-point operations per CPU second of a large matrix product.
fn product_speed() -> Result<f64> {
    const SIDE: usize = 1024;
    let a = Tensor::ones((SIDE, SIDE), DType::F32, &Device::Cpu)?;
    let (_, cpu) = seconds(|| Ok(a.matmul(&a).map(drop)?))?;
    Ok(2.0 * (SIDE as f64).powi(3) / cpu)
}
