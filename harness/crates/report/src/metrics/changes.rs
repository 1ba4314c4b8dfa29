//! What predictions and their confidences say beyond right and wrong.

use crate::cell::Changes;

/// Bins of the calibration error.
const BINS: usize = 15;

/// What one condition predicted, an entry a test image.
#[derive(Clone, Copy, Debug)]
pub struct Predicted<'a> {
    pub classes: &'a [u32],
    /// Softmax probability of the predicted class.
    pub confidences: &'a [f32],
    /// Softmax probability of the true class.
    pub of_truth: &'a [f32],
}

impl Predicted<'_> {
    fn is_over(&self, images: usize) -> bool {
        let lengths = [
            self.classes.len(),
            self.confidences.len(),
            self.of_truth.len(),
        ];
        images > 0 && lengths == [images; 3]
    }

    /// How sure the prediction of an image is of itself against the truth.
    fn excess(&self, image: usize) -> f64 {
        f64::from(self.confidences[image]) - f64::from(self.of_truth[image])
    }
}

/// How predictions changed from `old` to `new`; `None` unless both are over the images of
/// `labels`, and of none.
pub fn changes(old: Predicted<'_>, new: Predicted<'_>, labels: &[u32]) -> Option<Changes> {
    if !old.is_over(labels.len()) || !new.is_over(labels.len()) {
        return None;
    }
    let mut changes = Changes {
        churn: 0.0,
        wrong_churn: 0.0,
        negative_weight: 0.0,
        positive_weight: 0.0,
    };
    let share = 1.0 / labels.len() as f64;
    for (image, label) in labels.iter().enumerate() {
        let (before, after) = (old.classes[image], new.classes[image]);
        if before == after {
            continue;
        }
        changes.churn += share;
        if after != *label {
            changes.wrong_churn += share;
        }
        if before == *label {
            changes.negative_weight += share * new.excess(image);
        }
        if after == *label {
            changes.positive_weight += share * old.excess(image);
        }
    }
    Some(changes)
}

/// Expected calibration error (Guo et al. 2017): over 15 bins of equal width, closed on the
/// right, the mean distance between confidence and accuracy, each bin by its
/// share of the images. `None` unless there is one label an image, and of none.
pub fn calibration_error(of: Predicted<'_>, labels: &[u32]) -> Option<f64> {
    if !of.is_over(labels.len()) {
        return None;
    }
    // Per bin: right predictions minus the sum of confidences.
    let mut gaps = [0.0; BINS];
    for (image, label) in labels.iter().enumerate() {
        let confidence = f64::from(of.confidences[image]);
        let bin = (confidence * BINS as f64).ceil() as usize;
        let right = f64::from(u8::from(of.classes[image] == *label));
        gaps[bin.clamp(1, BINS) - 1] += right - confidence;
    }
    let sum: f64 = gaps.iter().map(|gap| gap.abs()).sum();
    Some(sum / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        calibration: Calibration,
    }

    #[derive(Deserialize)]
    struct Calibration {
        confidence: Vec<f32>,
        correct: Vec<u32>,
        error: f64,
    }

    #[test]
    fn calibration_is_that_of_numpy() {
        let text = include_str!("../../../../fixtures/golden/statistics/values.json");
        let golden = serde_json::from_str::<Golden>(text).unwrap().calibration;
        let labels = vec![1; golden.correct.len()];
        let predicted = Predicted {
            classes: &golden.correct,
            confidences: &golden.confidence,
            of_truth: &golden.confidence,
        };
        let found = calibration_error(predicted, &labels).unwrap();
        assert!((found - golden.error).abs() < 1e-6, "{found}");
    }

    #[test]
    fn each_change_counts_where_it_belongs() {
        let labels = [0, 0, 0, 1, 1];
        let old = Predicted {
            //  right, right, wrong, wrong, wrong
            classes: &[0, 0, 1, 0, 0],
            confidences: &[0.9, 0.8, 0.7, 0.75, 0.6],
            of_truth: &[0.9, 0.8, 0.3, 0.25, 0.1],
        };
        let new = Predicted {
            // the same, lost, another mistake, won, the same mistake
            classes: &[0, 1, 2, 1, 0],
            confidences: &[0.9, 0.8, 0.7, 0.75, 0.6],
            of_truth: &[0.9, 0.05, 0.3, 0.75, 0.1],
        };
        let found = changes(old, new, &labels).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a}, expected {b}");
        close(found.churn, 3.0 / 5.0);
        close(found.wrong_churn, 2.0 / 5.0);
        close(found.negative_weight, 0.75 / 5.0);
        close(found.positive_weight, 0.5 / 5.0);
        let turned = changes(new, old, &labels).unwrap();
        close(turned.positive_weight, 0.75 / 5.0);
    }

    #[test]
    fn what_does_not_match_has_no_number() {
        let none = Predicted {
            classes: &[],
            confidences: &[],
            of_truth: &[],
        };
        assert_eq!(changes(none, none, &[]), None);
        assert_eq!(calibration_error(none, &[]), None);
        assert_eq!(calibration_error(none, &[1]), None);
        // Of an engine that kept no confidences.
        let bare = Predicted {
            classes: &[1],
            ..none
        };
        assert_eq!(changes(bare, bare, &[1]), None);
    }

    proptest! {
        #[test]
        fn nothing_changes_against_itself(
            images in prop::collection::vec((0u32..3, 0u32..3, 0.34..1.0f32), 1..30),
        ) {
            let labels: Vec<u32> = images.iter().map(|i| i.0).collect();
            let classes: Vec<u32> = images.iter().map(|i| i.1).collect();
            let confidences: Vec<f32> = images.iter().map(|i| i.2).collect();
            let same = Predicted {
                classes: &classes,
                confidences: &confidences,
                of_truth: &confidences,
            };
            let found = changes(same, same, &labels).unwrap();
            prop_assert_eq!((found.churn, found.wrong_churn), (0.0, 0.0));
            let error = calibration_error(same, &labels).unwrap();
            prop_assert!((0.0..=1.0).contains(&error));
        }
    }
}
