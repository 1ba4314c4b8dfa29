//! Random numbers that a seed determines.

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Result;

/// A stream of random numbers, the same on every machine; see
/// [`Host::random`](crate::Host::random).
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// N(0, std²).
    ///
    /// # Errors
    /// candle fails.
    pub fn normal(&mut self, shape: &[usize], std: f64) -> Result<Tensor> {
        let values = (0..shape.iter().product::<usize>()).map(|_| {
            let value: f64 = StandardNormal.sample(&mut self.0);
            (value * std) as f32
        });
        let values: Vec<f32> = values.collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    /// U[low, high).
    ///
    /// # Errors
    /// candle fails.
    pub fn uniform(&mut self, shape: &[usize], low: f64, high: f64) -> Result<Tensor> {
        let values = (0..shape.iter().product::<usize>())
            .map(|_| (low + (high - low) * self.0.random::<f64>()) as f32);
        let values: Vec<f32> = values.collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    /// The numbers below `n` in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.shuffle(&mut self.0);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_stream() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            let normal = random.normal(&[3], 1.0).unwrap().to_vec1::<f32>().unwrap();
            (normal, random.permutation(9))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let (_, mut order) = draw(3);
        order.sort_unstable();
        assert_eq!(order, (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn uniform_numbers_stay_in_their_range() {
        let drawn = Random::new(5).uniform(&[1000], -2.0, 3.0).unwrap();
        let drawn = drawn.to_vec1::<f32>().unwrap();
        assert!(drawn.iter().all(|v| (-2.0..3.0).contains(v)));
        let mean: f32 = drawn.iter().sum::<f32>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.2, "{mean}");
    }
}
