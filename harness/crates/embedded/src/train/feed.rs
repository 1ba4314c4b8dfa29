//! Batches of pictures, drawn ahead of the training step on another thread.

use std::sync::mpsc::{Receiver, sync_channel};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::caption::{Voice, caption};
use crate::error::EmbeddedError;
use crate::stream::stream;
use crate::world::{Labels, SIDE, Scene, draw};

/// Mean of each channel, subtracted before the image tower.
pub(crate) const MEAN: f32 = 0.5;
/// Deviation of each channel, divided by before the image tower.
pub(crate) const DEVIATION: f32 = 0.25;

/// Pictures with all that is known of them.
pub(crate) struct Batch {
    /// `[n, 3, 32, 32]`, normalised.
    pub(crate) pixels: Vec<f32>,
    pub(crate) labels: Vec<Labels>,
    pub(crate) captions: Vec<String>,
}

impl Batch {
    /// Pictures `first .. first + size` of the sequence `seed`.
    pub(crate) fn draw(seed: u64, first: u64, size: usize, voice: Voice) -> Self {
        let items: Vec<_> = (first..first + size as u64)
            .into_par_iter()
            .map(|index| {
                let mut rng = stream(seed, index);
                let scene = Scene::any(&mut rng);
                let words = caption(&scene, voice, &mut rng);
                (planes(&draw(&scene)), scene.labels, words)
            })
            .collect();
        let mut batch = Self {
            pixels: Vec::with_capacity(size * 3 * SIDE * SIDE),
            labels: Vec::with_capacity(size),
            captions: Vec::with_capacity(size),
        };
        for (pixels, labels, caption) in items {
            batch.pixels.extend(pixels);
            batch.labels.push(labels);
            batch.captions.push(caption);
        }
        batch
    }

    pub(crate) fn pixels(&self) -> Result<Tensor, EmbeddedError> {
        let shape = (self.labels.len(), 3, SIDE, SIDE);
        Ok(Tensor::from_slice(&self.pixels, shape, &Device::Cpu)?)
    }
}

/// Bytes of interleaved pixels to normalised planes.
fn planes(picture: &[u8]) -> Vec<f32> {
    (0..3)
        .flat_map(|c| picture.iter().skip(c).step_by(3))
        .map(|byte| (f32::from(*byte) / 255.0 - MEAN) / DEVIATION)
        .collect()
}

/// Draws `steps` batches in the background, a few ahead.
pub(crate) fn feed(seed: u64, steps: usize, size: usize, voice: Voice) -> Receiver<Batch> {
    let (send, receive) = sync_channel(4);
    std::thread::spawn(move || {
        for step in 0..steps {
            // An error means that training stopped early.
            if send
                .send(Batch::draw(seed, (step * size) as u64, size, voice))
                .is_err()
            {
                break;
            }
        }
    });
    receive
}
