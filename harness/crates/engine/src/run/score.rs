//! From predictions to the numbers of a condition.

use harness_report::metrics::{self, Predicted, calibration_error};
use harness_report::{Changes, Condition, ConditionError};

use crate::job::Evaluation;

pub(super) fn condition(evaluation: &Evaluation) -> Result<Condition, ConditionError> {
    let mut condition = Condition::from_predictions(
        &evaluation.predictions,
        &evaluation.labels,
        evaluation.logits_sha256.clone(),
        evaluation.seconds,
    )?;
    condition.calibration_error = calibration_error(predicted(evaluation), &evaluation.labels);
    Ok(condition)
}

/// How predictions changed from one condition to another on the same images.
pub(super) fn changes(base: &Evaluation, new: &Evaluation) -> Option<Changes> {
    let same = base.labels == new.labels;
    same.then(|| metrics::changes(predicted(base), predicted(new), &base.labels))?
}

fn predicted(evaluation: &Evaluation) -> Predicted<'_> {
    Predicted {
        classes: &evaluation.predictions,
        confidences: &evaluation.confidences,
        of_truth: &evaluation.of_truth,
    }
}
