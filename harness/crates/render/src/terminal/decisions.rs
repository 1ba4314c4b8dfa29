//! What follows for each method on each data set: keep, drop or retrain.

use crate::terminal::footnotes::NAME;
use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::numbers::{NOT_AVAILABLE, list};
use crate::terminal::sanitise::one_line;
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment, Recommendation, Verdict};

/// The table of a block: the glyph is the verdict, the word what follows from it.
pub(crate) fn decisions(block: &Block<'_>, analysis: &Analysis<'_>) -> Grid {
    let rows = block.methods.iter().map(|method| {
        let slots = block.datasets.iter().map(|dataset| {
            let found = analysis.find(block.upgrade, block.shots, method.label, dataset);
            Slot::plain(found.map_or(NOT_AVAILABLE.into(), decision))
        });
        Row {
            label: one_line(method.label, NAME),
            markers: String::new(),
            slots: slots.collect(),
        }
    });
    Grid {
        heads: block
            .datasets
            .iter()
            .map(|name| one_line(name, NAME))
            .collect(),
        rows: rows.collect(),
    }
}

fn decision(assessment: &Assessment<'_>) -> String {
    match assessment.verdict {
        Some(verdict) => format!("{} {}", verdict.glyph(), assessment.recommendation.word()),
        None => NOT_AVAILABLE.to_owned(),
    }
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
        "What follows, with a margin of {:.2} points: {}",
        analysis.rule.margin,
        glyphs.join(", ")
    )
}

/// `keep on 2 data sets, retrain on 3, drop on 1, undecided on 1`; nothing where nothing was
/// assessed.
pub(crate) fn sentence(block: &Block<'_>, analysis: &Analysis<'_>, method: &str) -> Option<String> {
    let own = analysis.of_block(block.upgrade, block.shots);
    let own: Vec<&Assessment<'_>> = own
        .filter(|one| one.method == method && one.verdict.is_some())
        .collect();
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
        (count > 0).then(|| format!("{} on {count}", wanted.word()))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| list(&parts))
}
