//! Predictions image by image, on request.

use std::collections::BTreeMap;
use std::io::{self, Write};

use harness_data::{Dataset, Split};
use harness_report::samples::{CellPredictions, Predictions};
use harness_report::{Seeds, Upgrade};
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
    /// Its file, where it has one, otherwise `test[image]`.
    path: String,
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

/// The data sets of a run, opened for their test images.
pub struct TestImages(BTreeMap<String, Dataset>);

impl TestImages {
    /// Opens every data set of a run that is on disk.
    pub(super) fn open(setup: &SetUp<'_>) -> Result<Self, harness_data::DataError> {
        let mut opened = BTreeMap::new();
        for facts in &setup.inputs.datasets {
            if let Ok(files) = facts.reference.files() {
                let dataset = Dataset::open_with(&files.path, &files.opening)?;
                opened.insert(facts.reference.name.clone(), dataset);
            }
        }
        Ok(Self(opened))
    }

    /// Name of a test image: its path, where it has one.
    pub fn name(&self, dataset: &str, image: usize) -> String {
        let dataset = self.0.get(dataset);
        dataset.map_or_else(String::new, |of| of.image_name(Split::Test, image))
    }

    /// A test image for a page, its longer side at most `side` pixels; `None` where it cannot be
    /// read.
    pub fn thumbnail(&self, dataset: &str, image: usize, side: u32) -> Option<Thumbnail> {
        let pixels = self.0.get(dataset)?.image(Split::Test, image).ok()?;
        let mut pixels = image::DynamicImage::ImageRgb8(pixels);
        if pixels.width().max(pixels.height()) > side {
            pixels = pixels.thumbnail(side, side);
        }
        let mut bytes = io::Cursor::new(Vec::new());
        // A photograph is a tenth as JPEG; a drawing of few pixels would blur.
        let is_small = pixels.width().max(pixels.height()) <= SHARP;
        let format = match is_small {
            true => image::ImageFormat::Png,
            false => image::ImageFormat::Jpeg,
        };
        pixels.write_to(&mut bytes, format).ok()?;
        Some(Thumbnail {
            media_type: format.to_mime_type(),
            bytes: bytes.into_inner(),
            width: pixels.width(),
            height: pixels.height(),
        })
    }
}

/// Longest side of a thumbnail that keeps every pixel.
const SHARP: u32 = 96;

/// A test image, made small and encoded.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    /// Media type: `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// The predictions of each cell that has any measurement, in the order of the plan.
pub(super) fn predictions<'a>(
    setup: &'a SetUp<'_>,
    results: &'a Results,
) -> Vec<CellPredictions<'a>> {
    let inputs = &setup.inputs;
    let cells = setup.plan.cells.iter().filter_map(|cell| {
        let find = |unit: Option<UnitIndex>| unit.and_then(|unit| results.evaluation(unit));
        let unit = |unit: &Result<UnitIndex, _>| unit.as_ref().ok().copied();
        let all = [
            find(Some(cell.zero_source)),
            find(unit(&cell.base)),
            find(Some(cell.zero_target)),
            find(unit(&cell.new)),
            find(cell.oracle.as_ref().and_then(unit)),
        ];
        let any = all.iter().flatten().next()?;
        Some(CellPredictions {
            method: &inputs[cell.method].label,
            dataset: &inputs[cell.dataset].reference.name,
            upgrade: Upgrade {
                source: inputs[cell.source].reference.name.clone(),
                target: inputs[cell.target].reference.name.clone(),
            },
            shots: cell.draw.shots,
            seed: cell.draw.seeds,
            labels: &any.labels,
            conditions: all.map(|one| one.map(of)),
        })
    });
    cells.collect()
}

fn of(evaluation: &Evaluation) -> Predictions<'_> {
    Predictions {
        classes: &evaluation.predictions,
        confidences: &evaluation.confidences,
        of_truth: &evaluation.of_truth,
    }
}

/// Writes a line for each test image of each cell that has any measurement.
pub(super) fn write(
    cells: &[CellPredictions<'_>],
    images: &TestImages,
    out: &mut dyn Write,
) -> io::Result<()> {
    for cell in cells {
        for (image, label) in cell.labels.iter().enumerate() {
            let [zero_source, base, zero_target, new, oracle] = cell
                .conditions
                .map(|condition| prediction(condition, image));
            let sample = Sample {
                method: cell.method,
                dataset: cell.dataset,
                source: &cell.upgrade.source,
                target: &cell.upgrade.target,
                shots: cell.shots,
                seed: cell.seed,
                image,
                path: images.name(cell.dataset, image),
                label: *label,
                conditions: Conditions {
                    zero_source,
                    base,
                    zero_target,
                    new,
                    oracle,
                },
            };
            serde_json::to_writer(&mut *out, &sample)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn prediction(of: Option<Predictions<'_>>, image: usize) -> Option<Prediction> {
    let of = of?;
    Some(Prediction {
        prediction: *of.classes.get(image)?,
        confidence: *of.confidences.get(image)?,
        of_truth: *of.of_truth.get(image)?,
    })
}
