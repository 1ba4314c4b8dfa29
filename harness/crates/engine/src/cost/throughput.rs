//! Measuring the throughput of the towers on this machine.

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use harness_backbone::{Backbone, BackboneError};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use super::flops::{self, Prompts};

/// Widths of a B/16, whose blocks are timed.
const TEXT: usize = 512;
const IMAGE: usize = 768;
/// Prompts of a step, their tokens, and images.
const PROMPTS: usize = 8;
const TOKENS: usize = 16;
const IMAGES: usize = 1;
/// Timings, of which the fastest counts.
const RUNS: usize = 2;

/// Floating-point operations per CPU second in one thread, including all overhead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Text tower, forward and backward to its input.
    pub text: f64,
    /// Image tower, forward.
    pub image: f64,
}

/// Why the throughput could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThroughputError {
    #[error("cannot start a thread: {0}")]
    Thread(#[from] rayon::ThreadPoolBuildError),
    #[error(transparent)]
    Tower(#[from] BackboneError),
}

impl Throughput {
    /// The order of magnitude on current cores, where nothing was measured.
    pub(crate) const USUAL: Self = Self {
        text: 5e10,
        image: 5e10,
    };

    /// Times two blocks of each tower, the last of which computes less, in about a second.
    ///
    /// # Errors
    /// When no thread can be started, or a tower fails.
    pub fn measure() -> Result<Self, ThroughputError> {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        Ok(one.install(timed)?)
    }
}

type Result<T, E = BackboneError> = std::result::Result<T, E>;

fn timed() -> Result<Throughput> {
    let config = json!({
        "embed_dim": TEXT,
        "quick_gelu": true,
        "text_cfg": {"heads": TEXT / 64},
        "vision_cfg": {"head_width": 64},
    });
    let backbone = Backbone::from_tensors(state_dict()?, &config, None)?;
    let dims = backbone.dims();
    let prompts = Var::from_tensor(&pattern(vec![PROMPTS, TOKENS, TEXT], 1.0)?)?;
    let ends = [TOKENS - 1; PROMPTS];
    let text = fastest(|| {
        let features = backbone.text().encode_embeddings(&prompts, &ends)?;
        features.sum_all()?.backward()?;
        Ok(())
    })?;
    let side = dims.image.image_size;
    let pixels = pattern(vec![IMAGES, 3, side, side], 1.0)?;
    let image = fastest(|| backbone.image().encode(&pixels).map(drop))?;
    Ok(Throughput {
        text: 2.0 * flops::of_prompts(&dims.text, Prompts::new(0, [TOKENS; PROMPTS])) / text,
        image: IMAGES as f64 * flops::of_image(&dims.image) / image,
    })
}

/// CPU seconds of the fastest run, after one that warms up.
fn fastest(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    run()?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = cpu_seconds();
        run()?;
        best = best.min(cpu_seconds() - start);
    }
    Ok(best.max(f64::MIN_POSITIVE))
}

/// CPU time of this thread; other processes on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Numbers around 0 of a size, the same each time: what they are does not change the time.
fn pattern(shape: Vec<usize>, size: f32) -> Result<Tensor> {
    const PERIOD: usize = 251;
    let period: Vec<f32> = (0..PERIOD)
        .map(|at| size * (2.0 * ((at * 89) % PERIOD) as f32 / PERIOD as f32 - 1.0))
        .collect();
    let count = shape.iter().product::<usize>();
    let mut numbers = period.repeat(count.div_ceil(PERIOD));
    numbers.truncate(count);
    Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?)
}

/// The first blocks of each tower in open_clip's names.
fn state_dict() -> Result<HashMap<String, Tensor>> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    for (tower, block, d) in [
        ("", 0, TEXT),
        ("", 1, TEXT),
        ("visual.", 0, IMAGE),
        ("visual.", 1, IMAGE),
    ] {
        let at = |name: &str| format!("{tower}transformer.resblocks.{block}.{name}");
        for norm in ["ln_1", "ln_2"] {
            shapes.push((at(&format!("{norm}.weight")), vec![d]));
            shapes.push((at(&format!("{norm}.bias")), vec![d]));
        }
        shapes.push((at("attn.in_proj_weight"), vec![3 * d, d]));
        shapes.push((at("attn.in_proj_bias"), vec![3 * d]));
        for (map, outer, inner) in [
            ("attn.out_proj", d, d),
            ("mlp.c_fc", 4 * d, d),
            ("mlp.c_proj", d, 4 * d),
        ] {
            shapes.push((at(&format!("{map}.weight")), vec![outer, inner]));
            shapes.push((at(&format!("{map}.bias")), vec![outer]));
        }
    }
    let more: [(&str, &[usize]); 14] = [
        ("token_embedding.weight", &[2, TEXT]),
        ("positional_embedding", &[TOKENS, TEXT]),
        ("ln_final.weight", &[TEXT]),
        ("ln_final.bias", &[TEXT]),
        ("text_projection", &[TEXT, TEXT]),
        ("logit_scale", &[]),
        ("visual.class_embedding", &[IMAGE]),
        ("visual.positional_embedding", &[197, IMAGE]),
        ("visual.conv1.weight", &[IMAGE, 3, 16, 16]),
        ("visual.ln_pre.weight", &[IMAGE]),
        ("visual.ln_pre.bias", &[IMAGE]),
        ("visual.ln_post.weight", &[IMAGE]),
        ("visual.ln_post.bias", &[IMAGE]),
        ("visual.proj", &[IMAGE, TEXT]),
    ];
    shapes.extend(more.map(|(name, shape)| (name.to_owned(), shape.to_vec())));
    let weights = shapes
        .into_iter()
        .map(|(name, shape)| Ok((name, pattern(shape, 0.05)?)));
    weights.collect()
}

#[cfg(test)]
mod tests {
    use super::Throughput;

    #[test]
    fn throughput_is_what_a_core_can_have() {
        let throughput = Throughput::measure().unwrap();
        for flops in [throughput.text, throughput.image] {
            assert!((1e8..1e12).contains(&flops), "{flops:e}");
        }
    }
}
