//! Logits to predictions.

use std::time::Instant;

use harness_store::Sha256;

use super::error::JobError;
use crate::job::Evaluation;

/// Test images whose logits are asked for at once.
const BATCH: usize = 256;

/// Evaluates on all test images. `logits` gives `[rows, classes]` for some rows.
pub(super) fn evaluate(
    labels: &[u32],
    classes: usize,
    mut logits: impl FnMut(&[u32]) -> Result<Vec<f32>, JobError>,
) -> Result<Evaluation, JobError> {
    let start = Instant::now();
    let mut predictions = Vec::with_capacity(labels.len());
    let mut confidences = Vec::with_capacity(labels.len());
    let mut of_truth = Vec::with_capacity(labels.len());
    let mut hash = Sha256::default();
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    for rows in rows.chunks(BATCH) {
        let logits = logits(rows)?;
        for row in logits.chunks_exact(classes) {
            let label = labels.get(predictions.len());
            let predicted = argmax(row);
            predictions.push(predicted);
            confidences.push(probability(row, predicted));
            of_truth.push(label.map_or(0.0, |label| probability(row, *label)));
        }
        for value in logits {
            hash.update(&value.to_le_bytes());
        }
    }
    Ok(Evaluation {
        predictions,
        labels: labels.to_vec(),
        confidences,
        of_truth,
        logits_sha256: hash.hex(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Softmax probability of each class.
pub(super) fn probabilities(row: &[f32]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |value: &f32| f64::from(value - largest).exp();
    let sum: f64 = row.iter().map(weight).sum();
    row.iter().map(|value| weight(value) / sum).collect()
}

/// Softmax probability of a class; 0 of a class that has no logit.
fn probability(row: &[f32], class: u32) -> f32 {
    let all = probabilities(row);
    all.get(class as usize).map_or(0.0, |value| *value as f32)
}

/// The first of the largest values.
fn argmax(row: &[f32]) -> u32 {
    let mut best = 0;
    for (i, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = i;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_do_not_depend_on_the_batches() {
        let labels: Vec<u32> = (0..600).map(|i| i % 3).collect();
        let logits = |rows: &[u32]| {
            let one = |row: &u32| [(row % 2) as f32, (row % 5) as f32, 1.5];
            Ok(rows.iter().flat_map(one).collect())
        };
        let evaluation = evaluate(&labels, 3, logits).unwrap();
        assert_eq!(evaluation.predictions.len(), 600);
        assert_eq!(evaluation.predictions[..5], [2, 2, 1, 1, 1]);
        assert_eq!(evaluation.predictions[595..], [2, 2, 1, 1, 1]);
    }

    #[test]
    fn confidences_are_softmax_probabilities() {
        let logits = |_: &[u32]| Ok(vec![1.0, 2.0, 4.0, 1000.0, 0.0, 1000.0]);
        let evaluation = evaluate(&[1, 7], 3, logits).unwrap();
        // python -c "from scipy.special import softmax; print(softmax([1, 2, 4]))"
        let expected = [0.843_794_7, 0.5];
        for (found, expected) in evaluation.confidences.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
        assert!((evaluation.of_truth[0] - 0.114_195_2).abs() < 1e-6);
        assert_eq!(evaluation.of_truth[1], 0.0, "a class without a logit");
    }

    #[test]
    fn of_equal_logits_the_first_class_wins() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[-0.0, 0.0]), 0);
    }
}
