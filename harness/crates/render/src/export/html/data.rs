//! What the script of the page shows on request: the seeds and classes of an entry.

use serde::Serialize;

use crate::export::html::classes::{Packed, pack, room};
use crate::export::{MESSAGE, NAME};
use crate::tables::facts::row;
use crate::text::{command, one_line, word};
use harness_report::Report;
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment};
use harness_report::metrics::ClassRow;
use harness_report::{Cell, Condition};

#[derive(Serialize)]
struct Data {
    datasets: Vec<DatasetData>,
    blocks: Vec<BlockData>,
}

#[derive(Serialize)]
struct DatasetData {
    name: String,
    classes: Vec<String>,
    /// Test images of each class; empty where the report keeps no labels.
    images: Vec<u64>,
    test: u64,
}

#[derive(Serialize)]
struct BlockData {
    methods: Vec<String>,
    /// Places in [`Data::datasets`].
    datasets: Vec<usize>,
    /// Right answers of the target's zero-shot in each class, by column.
    zero: Vec<Vec<u64>>,
    /// By row and column.
    entries: Vec<Vec<Option<EntryData>>>,
}

#[derive(Serialize)]
struct EntryData {
    verdict: String,
    reason: String,
    recommendation: &'static str,
    advice: String,
    /// Seeds, then the right answers of Z(s), Base, Z(t), New and A(t→t).
    seeds: Vec<(String, [Option<u64>; 5])>,
    missing: Vec<String>,
    /// Training loss on the source, mean over seeds; at most [`STRETCHES`] stretches of the steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    losses: Vec<f64>,
    /// A command for each measured seed.
    rerun: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Packed>,
}

/// The data as JSON that can stand inside a `script` element.
pub(super) fn data(report: &Report, blocks: &[Block<'_>], analysis: &Analysis<'_>) -> String {
    let assessments: Vec<Vec<Vec<Option<&Assessment<'_>>>>> = blocks
        .iter()
        .map(|block| {
            let methods = block.methods.iter();
            methods.map(|method| row(analysis, block, method)).collect()
        })
        .collect();
    let classes: Vec<Vec<Vec<Vec<ClassRow>>>> = assessments
        .iter()
        .map(|rows| {
            let of = |entry: &Option<&Assessment<'_>>| entry.map(|one| one.classes(report));
            let rows = rows.iter();
            rows.map(|row| row.iter().map(|one| of(one).unwrap_or_default()).collect())
                .collect()
        })
        .collect();
    let most = room(classes.iter().flatten().flatten().map(Vec::as_slice));
    let blocks = blocks.iter().zip(&assessments).zip(&classes);
    let data = Data {
        datasets: datasets(report),
        blocks: blocks
            .map(|((block, entries), classes)| block_data(report, block, entries, classes, most))
            .collect(),
    };
    // Only text, numbers and lists: nothing that JSON refuses.
    embeddable(&serde_json::to_string(&data).unwrap_or_default())
}

fn datasets(report: &Report) -> Vec<DatasetData> {
    let datasets = report.datasets.iter();
    let datasets = datasets.map(|dataset| {
        let labels = dataset.test_labels.as_ref();
        let labels = labels.map_or(&[][..], |labels| labels.as_slice());
        let most = labels.iter().max().map_or(0, |most| *most as usize + 1);
        let mut images = vec![0; most];
        for label in labels {
            images[*label as usize] += 1;
        }
        let names = dataset.class_names.iter();
        DatasetData {
            name: one_line(&dataset.name, NAME),
            classes: names.map(|name| one_line(name, NAME)).collect(),
            images,
            test: dataset.test,
        }
    });
    datasets.collect()
}

fn block_data(
    report: &Report,
    block: &Block<'_>,
    entries: &[Vec<Option<&Assessment<'_>>>],
    classes: &[Vec<Vec<ClassRow>>],
    most: usize,
) -> BlockData {
    let place = |name: &&str| report.datasets.iter().position(|one| one.name == **name);
    let zero = (0..block.datasets.len()).map(|column| {
        let known = classes.iter().filter_map(|row| row.get(column));
        let known = known.max_by_key(|rows| rows.len());
        let right = |row: &ClassRow| (row.zero_target * row.images as f64).round() as u64;
        known.map_or_else(Vec::new, |rows| rows.iter().map(right).collect())
    });
    let rows = entries.iter().zip(classes).map(|(entries, classes)| {
        let entries = entries.iter().zip(classes);
        entries
            .map(|(entry, classes)| entry.map(|one| entry_data(one, classes, most)))
            .collect()
    });
    let methods = block.methods.iter();
    BlockData {
        methods: methods.map(|method| one_line(method.label, NAME)).collect(),
        datasets: block.datasets.iter().filter_map(place).collect(),
        zero: zero.collect(),
        entries: rows.collect(),
    }
}

fn entry_data(assessment: &Assessment<'_>, classes: &[ClassRow], most: usize) -> EntryData {
    let verdict = assessment.verdict;
    let seeds = assessment.cells.iter().map(|cell| {
        let of = &cell.conditions;
        let right = |condition: &Option<Condition>| condition.as_ref().map(|c| c.correct);
        let counts = [
            &of.zero_source,
            &of.base,
            &of.zero_target,
            &of.new,
            &of.oracle,
        ];
        (cell.seed.to_string(), counts.map(right))
    });
    let missing = assessment.missing.iter();
    EntryData {
        verdict: verdict.map_or_else(
            || "no verdict".to_owned(),
            |verdict| format!("{} {}", verdict.glyph(), verdict.word()),
        ),
        reason: one_line(&assessment.reason, MESSAGE),
        recommendation: assessment.recommendation.word(),
        advice: one_line(&assessment.advice, MESSAGE),
        seeds: seeds.collect(),
        missing: missing
            .map(|missing| format!("seed {}: {}", missing.seed, word(missing.status)))
            .collect(),
        losses: losses(&assessment.cells),
        rerun: assessment.cells.first().map(|cell| command(&cell.rerun)),
        classes: (!classes.is_empty()).then(|| pack(classes, most)),
    }
}

/// Points of a learning curve: what a chart of this size can show.
const STRETCHES: usize = 25;

/// The mean over seeds, in three digits; empty where a seed has none or another number of them.
fn losses(cells: &[&Cell]) -> Vec<f64> {
    let curves = cells.iter().map(|cell| {
        let training = cell.training.as_ref();
        training.map_or(&[][..], |of| of.losses.as_slice())
    });
    let curves: Vec<&[f32]> = curves.collect();
    let length = curves.first().map_or(0, |curve| curve.len());
    if curves.iter().any(|curve| curve.len() != length) {
        return Vec::new();
    }
    let stretch = length.div_ceil(STRETCHES).max(1);
    let places: Vec<usize> = (0..length).collect();
    let means = places.chunks(stretch).map(|places| {
        let values = curves
            .iter()
            .flat_map(|curve| places.iter().map(|at| f64::from(curve[*at])));
        let mean = values.sum::<f64>() / (places.len() * curves.len()) as f64;
        let scale = 10f64.powi(2 - mean.abs().max(1e-9).log10().floor() as i32);
        (mean * scale).round() / scale
    });
    means.collect()
}

/// JSON in which nothing can end the element it stands in, nor break a line of script.
fn embeddable(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe += &format!("\\u{:04x}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::embeddable;

    #[test]
    fn no_element_ends_inside_json() {
        let hostile = "\"</script><!--&\u{2028}\u{2029}\"";
        let safe = embeddable(hostile);
        assert_eq!(
            safe,
            "\"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\\u2029\""
        );
        let back: String = serde_json::from_str(&safe).unwrap();
        assert_eq!(format!("\"{back}\""), hostile);
    }
}
