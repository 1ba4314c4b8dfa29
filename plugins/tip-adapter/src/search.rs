//! Grid search for alpha and beta on the validation split.

use harness_sdk::{Error, Result, Tensor};

/// Number of values of beta and alpha.
const STEPS: [usize; 2] = [200, 20];

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) alpha: f32,
    pub(crate) beta: f32,
}

/// The first point with the most correct predictions, with beta in the outer loop.
/// `zero_shot` are logits `[B, C]`; `cache_logits` gives the cache's `[B, C]` for a beta.
pub(crate) fn best(
    ends: [f64; 2],
    zero_shot: &Tensor,
    labels: &[u32],
    cache_logits: impl Fn(f32) -> Result<Tensor>,
) -> Result<Point> {
    let zero_shot = zero_shot.to_vec2::<f32>()?;
    let mut best = None;
    for beta in grid(ends[0], STEPS[0]) {
        let cached = cache_logits(beta)?.to_vec2::<f32>()?;
        for alpha in grid(ends[1], STEPS[1]) {
            let rows = zero_shot.iter().zip(&cached).zip(labels);
            let correct = rows.filter(|((zero_shot, cached), label)| {
                let logits = zero_shot.iter().zip(cached.iter());
                first_largest(logits.map(|(z, a)| z + alpha * a)) == **label as usize
            });
            let correct = correct.count();
            if best.is_none_or(|(most, _)| correct > most) {
                best = Some((correct, Point { alpha, beta }));
            }
        }
    }
    best.map(|(_, point)| point)
        .ok_or_else(|| Error::Config("the search grid is empty".into()))
}

/// `steps` evenly spaced values from 0.1 up to but excluding `end`.
fn grid(end: f64, steps: usize) -> impl Iterator<Item = f32> {
    (0..steps).map(move |i| (i as f64 * (end - 0.1) / steps as f64 + 0.1) as f32)
}

fn first_largest(logits: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, logit) in logits.enumerate() {
        if logit > best.1 {
            best = (class, logit);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use harness_sdk::Device;

    use super::*;

    #[test]
    fn the_grid_matches_the_reference() {
        let beta: Vec<f32> = grid(7.0, 200).collect();
        assert_eq!((beta.len(), beta[0]), (200, 0.1));
        assert!((beta[199] - 6.9655).abs() < 1e-6);
    }

    #[test]
    fn ties_take_the_first_point() {
        let zero_shot = Tensor::new(&[[1f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let answer = |_| Ok(Tensor::new(&[[0f32, 1.0], [0.0, 0.0]], &Device::Cpu)?);
        // The first image needs alpha > 1: 0.1 + 0.145 i from i = 7.
        let point = best([7.0, 3.0], &zero_shot, &[1, 1], answer).unwrap();
        assert_eq!(point.beta, 0.1);
        assert!((point.alpha - 1.115).abs() < 1e-6, "{point:?}");
        // All points tie.
        let point = best([7.0, 3.0], &zero_shot, &[0, 0], |_| {
            Ok(Tensor::zeros(
                (2, 2),
                harness_sdk::candle_core::DType::F32,
                &Device::Cpu,
            )?)
        });
        assert_eq!(
            point.unwrap(),
            Point {
                alpha: 0.1,
                beta: 0.1
            }
        );
    }
}
