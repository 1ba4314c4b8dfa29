//! The recommendation for each method on each data set: keep, drop or retrain.

use crate::tables::{Cell, Row, Table};
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment, Recommendation, Verdict};

/// The table of a block: verdicts and recommendations.
pub(crate) fn recommendations<'a>(block: &Block<'a>, analysis: &Analysis<'a>) -> Table<'a> {
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| {
        let cells = block.datasets.iter().map(|dataset| {
            let found = analysis.find(block.upgrade, block.shots, method.label, dataset);
            found.map_or(Cell::Missing(None), cell)
        });
        Row {
            label: method.label,
            method: Some(at),
            cells: cells.collect(),
        }
    });
    Table {
        heads: block
            .datasets
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        rows: rows.collect(),
        mean: None,
    }
}

fn cell<'a>(assessment: &Assessment<'a>) -> Cell<'a> {
    Cell::Recommendation {
        verdict: assessment.verdict,
        recommendation: assessment.recommendation,
        status: assessment.missing.first().map(|missing| missing.status),
    }
}

/// Whether any method of the block has a verdict.
pub(crate) fn is_assessed(block: &Block<'_>, analysis: &Analysis<'_>) -> bool {
    let mut own = analysis.of_block(block.upgrade, block.shots);
    own.any(|one| one.verdict.is_some())
}

/// What the table says, and its glyphs.
pub(crate) fn title(analysis: &Analysis<'_>) -> String {
    let verdicts = [
        Verdict::Compatible,
        Verdict::Degraded,
        Verdict::Incompatible,
        Verdict::Inconclusive,
        Verdict::NotInjectable,
    ];
    let glyphs = verdicts.map(|verdict| format!("{} {}", verdict.glyph(), verdict.word()));
    format!(
        "Recommendations (margin {:.2} points): {}",
        analysis.rule.margin,
        glyphs.join(", ")
    )
}

/// `keep 2, retrain 3, drop 1, undecided 1`; nothing where nothing was
/// assessed.
pub(crate) fn sentence(block: &Block<'_>, analysis: &Analysis<'_>, method: &str) -> Option<String> {
    let own = analysis.of_method(block.upgrade, block.shots, method);
    let own: Vec<&Assessment<'_>> = own.filter(|one| one.verdict.is_some()).collect();
    let parts = [
        Recommendation::Keep,
        Recommendation::Retrain,
        Recommendation::Drop,
        Recommendation::Undecided,
    ];
    let parts = parts.into_iter().filter_map(|wanted| {
        let count = own
            .iter()
            .filter(|one| one.recommendation == wanted)
            .count();
        (count > 0).then(|| format!("{} {count}", wanted.word()))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
