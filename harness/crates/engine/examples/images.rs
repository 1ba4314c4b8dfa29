//! What decoding and resizing beside the encoding is worth: images a second, one after the other
//! and as the pipeline does it, in one run.
//!
//! `cargo run -p harness-engine --example images -- [BACKBONE]`. Without an argument the embedded
//! micro-clip encodes, which takes about as long as decoding; a real backbone takes far longer.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use harness_backbone::Backbone;
use harness_data::{Dataset, Split};
use harness_engine::images::{ImageSet, ImagesError, encode};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// Pictures of the usual size of the field's data sets.
const SIZE: (u32, u32) = (500, 375);
const IMAGES: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../suites/embedded");
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| embedded.join("backbones/micro-clip"), PathBuf::from);
    let backbone = Backbone::load(&folder)?;
    let pictures = tempfile::tempdir()?;
    draw(pictures.path())?;
    let dataset = Arc::new(Dataset::open(pictures.path())?);
    let set = ImageSet::whole(dataset, backbone.transform().clone(), Split::Test);
    let rows = 0..set.len();

    let start = Instant::now();
    for row in rows.clone() {
        set.pixels([row], 0)?;
    }
    let reading = rate(start);
    let start = Instant::now();
    let mut plain = Vec::new();
    for first in rows.clone().step_by(64) {
        let pixels = set.pixels(first..rows.end.min(first + 64), 0)?;
        let features = backbone.image().encode(&pixels)?;
        plain.extend(features.flatten_all()?.to_vec1::<f32>()?);
    }
    let in_turn = rate(start);
    let start = Instant::now();
    let mut piped = Vec::new();
    encode::<ImagesError>(backbone.image(), &set, 0, &[rows], |_, features| {
        piped.extend(features.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    })?;
    let pipeline = rate(start);

    println!("images   {IMAGES} JPEG files of {} x {}", SIZE.0, SIZE.1);
    println!("read     {reading:.0} a second, decoded and resized on one thread");
    println!("in turn  {in_turn:.0} a second, read and encoded");
    println!(
        "pipeline {pipeline:.0} a second, {:.2} times as many; same bits: {}",
        pipeline / in_turn,
        plain == piped
    );
    Ok(())
}

fn rate(start: Instant) -> f64 {
    IMAGES as f64 / start.elapsed().as_secs_f64()
}

/// Writes pictures with some structure in the image-folder format.
fn draw(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (split, count) in [("train", 1), ("test", IMAGES)] {
        let class = folder.join(split).join("waves");
        std::fs::create_dir_all(&class)?;
        for index in 0..count {
            let wave = |x: u32, y: u32, step: f64| {
                let phase = f64::from(x) / (7.0 + step) + f64::from(y) / 11.0 + index as f64;
                (127.0 + 90.0 * phase.sin() + f64::from((x * 31 + y * 17) % 37)) as u8
            };
            let picture = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
                Rgb([wave(x, y, 0.0), wave(x, y, 3.0), wave(y, x, 1.0)])
            });
            let file = std::fs::File::create(class.join(format!("{index:04}.jpg")))?;
            JpegEncoder::new_with_quality(file, 90).encode_image(&picture)?;
        }
    }
    Ok(())
}
