//! The accuracy of one condition on the test images.

use harness_store::Sha256;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bitmap::Bitmap;

/// What one of Z(s), A(s→s), Z(t), A(s→t), A(t→t) scored on a data set's test split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// `correct / total`, a fraction in [0, 1].
    pub accuracy: f64,
    /// Test images that were classified correctly.
    pub correct: u64,
    /// Test images.
    pub total: u64,
    /// Which images were classified correctly.
    pub correct_bitmap: Bitmap,
    /// SHA-256 over the predicted classes as little-endian u32 in the data set's order.
    pub predictions_sha256: String,
    /// SHA-256 over the logits as little-endian f32, image by image.
    pub logits_sha256: String,
    /// Wall-clock seconds of the evaluation.
    pub seconds: f64,
    /// Expected calibration error over 15 bins of equal width (Guo et al. 2017), of the softmax
    /// of the logits; absent in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error: Option<f64>,
}

/// Predictions that cannot be scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// Predictions and labels are of different test sets.
    #[error("{predictions} predictions for {labels} labels: expected one prediction per label")]
    LengthMismatch { predictions: usize, labels: usize },
    /// An accuracy over no image does not exist.
    #[error("no test image to score: expected at least one")]
    Empty,
}

impl Condition {
    /// Scores `predictions` against `labels` (class indices, same order).
    ///
    /// # Errors
    /// When the two lengths differ, or when both are empty.
    pub fn from_predictions(
        predictions: &[u32],
        labels: &[u32],
        logits_sha256: impl Into<String>,
        seconds: f64,
    ) -> Result<Self, ConditionError> {
        if predictions.len() != labels.len() {
            return Err(ConditionError::LengthMismatch {
                predictions: predictions.len(),
                labels: labels.len(),
            });
        }
        if labels.is_empty() {
            return Err(ConditionError::Empty);
        }
        let correct_bitmap: Bitmap = predictions
            .iter()
            .zip(labels)
            .map(|(prediction, label)| prediction == label)
            .collect();
        let mut digest = Sha256::default();
        for prediction in predictions {
            digest.update(&prediction.to_le_bytes());
        }
        let (correct, total) = (correct_bitmap.count(), labels.len() as u64);
        Ok(Self {
            accuracy: correct as f64 / total as f64,
            correct,
            total,
            correct_bitmap,
            predictions_sha256: digest.hex(),
            logits_sha256: logits_sha256.into(),
            seconds,
            calibration_error: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_marks_the_correct_images() {
        let scored = Condition::from_predictions(&[0, 2, 1, 1], &[0, 1, 1, 0], "ab", 0.5).unwrap();
        assert_eq!((scored.correct, scored.total), (2, 4));
        assert_eq!(scored.accuracy, 0.5);
        assert_eq!(String::from(scored.correct_bitmap), "05");
        // printf '\0\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0' | sha256sum
        assert_eq!(
            scored.predictions_sha256,
            "5dbad9eed60d7ef498ff00ca6d522d5dcd4cdf962b95572a85b53e5e9504f672"
        );
    }

    #[test]
    fn what_cannot_be_scored_is_an_error() {
        assert_eq!(
            Condition::from_predictions(&[0], &[0, 1], "", 0.0),
            Err(ConditionError::LengthMismatch {
                predictions: 1,
                labels: 2
            })
        );
        assert_eq!(
            Condition::from_predictions(&[], &[], "", 0.0),
            Err(ConditionError::Empty)
        );
    }
}
