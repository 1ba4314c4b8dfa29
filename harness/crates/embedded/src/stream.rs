//! Random numbers that depend on a seed and a place in the sequence alone.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// An independent generator for item `index` of the sequence `seed`, so that items may be drawn in
/// any order and on any thread.
pub(crate) fn stream(seed: u64, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}
