//! The grid search for alpha and beta, on the validation draw.

use harness_sdk::{Result, Tensor};

/// Values of beta and of alpha in the grid.
const STEPS: [usize; 2] = [200, 20];

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) alpha: f32,
    pub(crate) beta: f32,
}

/// The first point with the most hits, beta in the outer loop. `zero_shot` are
/// logits `[B, C]`, `answer` gives the cache's `[B, C]` for a beta.
pub(crate) fn best(
    ends: [f64; 2],
    zero_shot: &Tensor,
    labels: &[u32],
    answer: impl Fn(f32) -> Result<Tensor>,
) -> Result<Point> {
    let zero_shot = zero_shot.to_vec2::<f32>()?;
    let mut best = None;
    for beta in grid(ends[0], STEPS[0]) {
        let answer = answer(beta)?.to_vec2::<f32>()?;
        for alpha in grid(ends[1], STEPS[1]) {
            let rows = zero_shot.iter().zip(&answer).zip(labels);
            let hits = rows.filter(|((zero_shot, answer), label)| {
                let logits = zero_shot.iter().zip(answer.iter());
                first_largest(logits.map(|(z, a)| z + alpha * a)) == **label as usize
            });
            let hits = hits.count();
            if best.is_none_or(|(most, _)| hits > most) {
                best = Some((hits, Point { alpha, beta }));
            }
        }
    }
    // The grid has points, so that one of them is the best.
    Ok(best.map_or(
        Point {
            alpha: 1.0,
            beta: 1.0,
        },
        |(_, point)| point,
    ))
}

/// `steps` values from 0.1 on, evenly spaced; `end` itself would be the next.
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
    fn the_grid_is_the_reference_codes() {
        let beta: Vec<f32> = grid(7.0, 200).collect();
        assert_eq!((beta.len(), beta[0]), (200, 0.1));
        assert!((beta[199] - 6.9655).abs() < 1e-6);
    }

    #[test]
    fn the_first_of_the_best_points_is_taken() {
        let zero_shot = Tensor::new(&[[1f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        let answer = |_| Ok(Tensor::new(&[[0f32, 1.0], [0.0, 0.0]], &Device::Cpu)?);
        // The first image needs alpha above 1: 0.1 + 0.145 i is from i = 7 on.
        let point = best([7.0, 3.0], &zero_shot, &[1, 1], answer).unwrap();
        assert_eq!(point.beta, 0.1);
        assert!((point.alpha - 1.115).abs() < 1e-6, "{point:?}");
        // Nothing helps: the first point of all.
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
