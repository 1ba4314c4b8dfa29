//! Dropout whose mask is a function of a seed.

/// Which elements are kept depends on the seed and their place alone, never on
/// threads or on what was drawn before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Share of the elements that are zeroed, in `[0, 1)`; the others grow by `1 / (1 - rate)`.
    pub rate: f32,
    /// Decides the mask.
    pub seed: u64,
}

impl Dropout {
    pub(crate) fn apply(self, values: &mut [f32]) {
        self.apply_from(0, values);
    }

    /// Applies it to a part of the elements that begins at number `first`.
    pub(crate) fn apply_from(self, first: usize, values: &mut [f32]) {
        let grow = 1.0 / (1.0 - self.rate);
        for (i, value) in values.iter_mut().enumerate() {
            *value *= if uniform(self.seed, (first + i) as u64) < self.rate {
                0.0
            } else {
                grow
            };
        }
    }
}

/// Number `i` of the stream of a seed, in `[0, 1)`: splitmix64 (Steele et al. 2014).
fn uniform(seed: u64, i: u64) -> f32 {
    let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 40) as f32 / (1u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::Dropout;

    #[test]
    fn the_mean_is_kept_and_the_seed_decides() {
        let at = |seed| {
            let mut values = vec![1f32; 40_000];
            Dropout { rate: 0.25, seed }.apply(&mut values);
            values
        };
        let values = at(1);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!(values.iter().all(|&v| v == 0.0 || v == 4.0 / 3.0));
        assert_eq!(values, at(1));
        assert_ne!(values, at(2));
    }
}
