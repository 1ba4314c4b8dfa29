//! What the timings share: a backbone of published shapes, and clocks.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use harness_backbone::Backbone;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Least seconds of a run, so that small towers are timed over many calls.
const LEAST: f64 = 0.2;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Medians of the time that passed and of the CPU time.
pub(crate) fn median(times: Vec<(f64, f64)>) -> (f64, f64) {
    let middle = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    (
        middle(times.iter().map(|t| t.0).collect()),
        middle(times.iter().map(|t| t.1).collect()),
    )
}

/// Time that passes in a call and its CPU time, over enough calls.
pub(crate) fn seconds(mut f: impl FnMut() -> Result<()>) -> Result<(f64, f64)> {
    let (start, cpu, mut calls) = (Instant::now(), cpu_seconds(), 0.0);
    while calls == 0.0 || start.elapsed().as_secs_f64() < LEAST {
        f()?;
        calls += 1.0;
    }
    let wall = start.elapsed().as_secs_f64();
    Ok((wall / calls, (cpu_seconds() - cpu) / calls))
}

/// A backbone of published shapes with random weights.
pub(crate) fn random(model: &str) -> Result<Backbone> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/checkpoints");
    let listing: Value =
        serde_json::from_slice(&std::fs::read(folder.join(format!("{model}.json")))?)?;
    let mut state = HashMap::new();
    for (name, entry) in listing["tensors"]
        .as_object()
        .ok_or("expected a list of tensors")?
    {
        let (blocks, shape) = match entry.get("blocks").and_then(Value::as_u64) {
            Some(blocks) => (blocks, &entry["shape"]),
            None => (1, entry),
        };
        let shape: Vec<usize> = serde_json::from_value(shape.clone())?;
        let fan = shape.iter().skip(1).product::<usize>() as f32;
        for block in 0..blocks {
            let tensor = match shape.len() {
                0 | 1 if name.ends_with("weight") => {
                    Tensor::ones(&shape[..], DType::F32, &Device::Cpu)
                }
                0 | 1 => Tensor::zeros(&shape[..], DType::F32, &Device::Cpu),
                _ => Tensor::randn(0f32, fan.sqrt().recip(), &shape[..], &Device::Cpu),
            };
            state.insert(name.replacen('*', &block.to_string(), 1), tensor?);
        }
    }
    Ok(Backbone::from_tensors(state, &listing["config"], None)?)
}

/// CPU time of this process; other processes on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
