//! Mutated inputs to readers, and what became of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::mutate::mutate;
use crate::readers::Reader;

/// Longer than any reader may take for a small input, on a busy machine and without
/// optimisation.
const SLOW: Duration = Duration::from_secs(10);

/// What became of the cases of a reader.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub accepted: u64,
    pub refused: u64,
    pub slowest: Duration,
    pub failures: Vec<Failure>,
}

/// A case that a reader did not withstand.
#[derive(Clone, Debug)]
pub struct Failure {
    pub case: u64,
    /// What the panic said, or how long it took.
    pub reason: String,
}

/// The input of a case: the same for the same reader, seed and number.
pub fn input(reader: &Reader, samples: &[Vec<u8>], seed: u64, case: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(case);
    let sample = samples.choose(&mut rng).cloned().unwrap_or_default();
    mutate(reader.shape, sample, &mut rng)
}

/// Reads `cases` mutated inputs in folders below `scratch`; the first are the samples themselves,
/// which must be accepted.
///
/// # Errors
/// A folder cannot be made or emptied.
pub fn drive(
    reader: &Reader,
    cases: impl Iterator<Item = u64>,
    seed: u64,
    scratch: &Path,
) -> std::io::Result<Counts> {
    let samples = (reader.samples)();
    let mut counts = Counts::default();
    let folder = scratch.join(reader.name);
    for case in cases {
        let bytes = input(reader, &samples, seed, case);
        std::fs::create_dir_all(&folder)?;
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (reader.read)(&bytes, &folder).is_ok()));
        let took = start.elapsed();
        counts.slowest = counts.slowest.max(took);
        match result {
            Ok(true) => counts.accepted += 1,
            Ok(false) => counts.refused += 1,
            Err(payload) => counts.failures.push(Failure {
                case,
                reason: format!("panicked: {}", text(payload.as_ref())),
            }),
        }
        if took > SLOW {
            counts.failures.push(Failure {
                case,
                reason: format!("took {:.1} s", took.as_secs_f64()),
            });
        }
    }
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(counts),
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    match payload.downcast_ref::<&str>() {
        Some(text) => text,
        None => payload
            .downcast_ref::<String>()
            .map_or("without a message", String::as_str),
    }
}
