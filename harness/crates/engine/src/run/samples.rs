//! Predictions image by image, on request.

use std::io::{self, Write};

use harness_report::Seeds;
use serde::Serialize;

use super::results::Results;
use super::setup::SetUp;
use crate::job::Evaluation;
use crate::plan::UnitIndex;

/// One test image under one cell: a line of JSON.
#[derive(Serialize)]
struct Sample<'a> {
    method: &'a str,
    dataset: &'a str,
    source: &'a str,
    target: &'a str,
    shots: u32,
    seed: Seeds,
    /// Position in the test split.
    image: usize,
    label: u32,
    /// Under each condition that was measured, named as in the report.
    conditions: Conditions,
}

#[derive(Serialize)]
struct Conditions {
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_source: Option<Prediction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Prediction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_target: Option<Prediction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Prediction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oracle: Option<Prediction>,
}

#[derive(Serialize)]
struct Prediction {
    prediction: u32,
    /// Softmax probability of the prediction.
    confidence: f32,
    /// Softmax probability of the label.
    of_truth: f32,
}

/// Writes a line for each test image of each cell that has any measurement.
pub(super) fn write(setup: &SetUp<'_>, results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let inputs = &setup.inputs;
    for cell in &setup.plan.cells {
        let find = |unit: Option<UnitIndex>| unit.and_then(|unit| results.evaluation(unit));
        let unit = |unit: &Result<UnitIndex, _>| unit.as_ref().ok().copied();
        let zero_source = find(Some(cell.zero_source));
        let base = find(unit(&cell.base));
        let zero_target = find(Some(cell.zero_target));
        let new = find(unit(&cell.new));
        let oracle = find(cell.oracle.as_ref().and_then(unit));
        let all = [zero_source, base, zero_target, new, oracle];
        let Some(any) = all.iter().flatten().next() else {
            continue;
        };
        for (image, label) in any.labels.iter().enumerate() {
            let of = |condition| prediction(condition, image);
            let sample = Sample {
                method: &inputs[cell.method].label,
                dataset: &inputs[cell.dataset].reference.name,
                source: &inputs[cell.source].reference.name,
                target: &inputs[cell.target].reference.name,
                shots: cell.draw.shots,
                seed: cell.draw.seeds,
                image,
                label: *label,
                conditions: Conditions {
                    zero_source: of(zero_source),
                    base: of(base),
                    zero_target: of(zero_target),
                    new: of(new),
                    oracle: of(oracle),
                },
            };
            serde_json::to_writer(&mut *out, &sample)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn prediction(evaluation: Option<&Evaluation>, image: usize) -> Option<Prediction> {
    let evaluation = evaluation?;
    Some(Prediction {
        prediction: *evaluation.predictions.get(image)?,
        confidence: *evaluation.confidences.get(image)?,
        of_truth: *evaluation.of_truth.get(image)?,
    })
}
