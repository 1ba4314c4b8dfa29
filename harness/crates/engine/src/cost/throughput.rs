//! Measuring the throughput of the towers on this machine: of one core, or of a GPU.

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use harness_backbone::{Backbone, BackboneError, Precision};
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
/// Prompts of a small and a large step on a GPU, and images.
const GPU_PROMPTS: [usize; 2] = [32, 512];
const GPU_IMAGES: usize = 64;
/// Blocks of each tower: a core needs two for a measurement, the last of which computes less; on a
/// GPU, what a call costs grows with their number.
const BLOCKS: usize = 2;
const GPU_BLOCKS: usize = 12;
/// Timings, of which the fastest counts.
const RUNS: usize = 2;
const GPU_RUNS: usize = 5;

/// Floating-point operations per second of a core or a GPU, including all overhead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Text tower, forward and backward to its input.
    pub text: f64,
    /// Image tower, forward.
    pub image: f64,
    /// Seconds that a call of a tower takes whatever its size; 0 on a core.
    pub call_seconds: f64,
}

/// Why the throughput could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThroughputError {
    #[error("cannot start a thread: {0}")]
    Thread(#[from] rayon::ThreadPoolBuildError),
    #[error(transparent)]
    Tower(#[from] BackboneError),
    #[error(transparent)]
    Device(#[from] candle_core::Error),
}

impl Throughput {
    /// The order of magnitude on current cores, where nothing was measured.
    pub(crate) const USUAL: Self = Self {
        text: 5e10,
        image: 5e10,
        call_seconds: 0.0,
    };

    /// The order of magnitude on current GPUs of data centres, for one that is on another machine.
    pub(crate) const USUAL_GPU: Self = Self {
        text: 2e13,
        image: 5e13,
        call_seconds: 4e-3,
    };

    /// Times a core on two blocks of each tower, in about a second.
    ///
    /// # Errors
    /// When no thread can be started, or a tower fails.
    pub fn measure() -> Result<Self, ThroughputError> {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        Ok(one.install(of_core)?)
    }

    /// Times a GPU on whole towers. What a call costs whatever its size follows from text steps of
    /// two sizes.
    ///
    /// # Errors
    /// When a tower fails.
    pub(crate) fn measure_on(
        device: &Device,
        precision: Precision,
    ) -> Result<Self, ThroughputError> {
        let backbone = backbone(GPU_BLOCKS)?.on_device(device, precision);
        let [small, large] = GPU_PROMPTS;
        let time = |prompts| {
            text_step(&backbone, prompts).and_then(|step| fastest(GPU_RUNS, wall_seconds, step))
        };
        let (few, many) = (time(small)?, time(large)?);
        let operations = |prompts| text_operations(&backbone, prompts);
        // Noise can make the small step the slower one.
        let text = match many - few {
            more if more > 0.1 * many => (operations(large) - operations(small)) / more,
            _ => operations(large) / many,
        };
        let pass = image_pass(&backbone, GPU_IMAGES)?;
        let image = fastest(GPU_RUNS, wall_seconds, pass)?;
        Ok(Self {
            text,
            image: image_operations(&backbone, GPU_IMAGES) / image,
            call_seconds: (few - operations(small) / text).max(0.0),
        })
    }
}

type Result<T, E = BackboneError> = std::result::Result<T, E>;

fn of_core() -> Result<Throughput> {
    let backbone = backbone(BLOCKS)?;
    let text = fastest(RUNS, cpu_seconds, text_step(&backbone, PROMPTS)?)?;
    let image = fastest(RUNS, cpu_seconds, image_pass(&backbone, IMAGES)?)?;
    Ok(Throughput {
        text: text_operations(&backbone, PROMPTS) / text,
        image: image_operations(&backbone, IMAGES) / image,
        call_seconds: 0.0,
    })
}

/// A step of the text tower, forward and back to its inputs.
fn text_step(backbone: &Backbone, prompts: usize) -> Result<impl FnMut() -> Result<()>> {
    let inputs = Var::from_tensor(&pattern(vec![prompts, TOKENS, TEXT], 1.0)?)?;
    let ends = vec![TOKENS - 1; prompts];
    Ok(move || {
        let features = backbone.text().encode_embeddings(&inputs, &ends)?;
        features.sum_all()?.backward()?;
        Ok(())
    })
}

fn text_operations(backbone: &Backbone, prompts: usize) -> f64 {
    let prompts = Prompts::new(0, std::iter::repeat_n(TOKENS, prompts));
    2.0 * flops::of_prompts(&backbone.dims().text, prompts)
}

/// A forward pass of the image tower.
fn image_pass(backbone: &Backbone, images: usize) -> Result<impl FnMut() -> Result<()>> {
    let side = backbone.dims().image.image_size;
    let pixels = pattern(vec![images, 3, side, side], 1.0)?;
    Ok(move || backbone.image().encode(&pixels).map(drop))
}

fn image_operations(backbone: &Backbone, images: usize) -> f64 {
    images as f64 * flops::of_image(&backbone.dims().image)
}

/// A B/16 of so many blocks in each tower.
fn backbone(blocks: usize) -> Result<Backbone> {
    let config = json!({
        "embed_dim": TEXT,
        "quick_gelu": true,
        "text_cfg": {"heads": TEXT / 64},
        "vision_cfg": {"head_width": 64},
    });
    Backbone::from_tensors(state_dict(blocks)?, &config, None)
}

/// Seconds of the fastest of so many runs by a clock, after one that warms up.
fn fastest(runs: usize, clock: fn() -> f64, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    run()?;
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let start = clock();
        run()?;
        best = best.min(clock() - start);
    }
    Ok(best.max(f64::MIN_POSITIVE))
}

/// CPU time of this thread; other processes on the machine do not count.
fn cpu_seconds() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

fn wall_seconds() -> f64 {
    seconds(ClockId::Monotonic)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
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
fn state_dict(blocks: usize) -> Result<HashMap<String, Tensor>> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let towers = [("", TEXT), ("visual.", IMAGE)];
    let blocks = |(tower, d)| (0..blocks).map(move |block| (tower, block, d));
    for (tower, block, d) in towers.into_iter().flat_map(blocks) {
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
    use super::*;

    #[test]
    fn throughput_is_what_a_core_can_have() {
        let throughput = Throughput::measure().unwrap();
        for flops in [throughput.text, throughput.image] {
            assert!((1e8..1e12).contains(&flops), "{flops:e}");
        }
    }

    #[test]
    fn a_step_on_a_device_costs_what_its_calls_and_operations_do() {
        let backbone = backbone(1).unwrap();
        let placed = backbone.on_device(&Device::Cpu, Precision::F32);
        let mut step = text_step(&placed, 2).unwrap();
        step().unwrap();
        let (one, two) = (text_operations(&placed, 1), text_operations(&placed, 2));
        assert!((two / one - 2.0).abs() < 1e-9);
        let mut pass = image_pass(&placed, 1).unwrap();
        pass().unwrap();
    }
}
