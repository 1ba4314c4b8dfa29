//! The classes that lost most in the upgrade.

use crate::text::{NAME, one_line, percent, points};
use harness_report::Report;
use harness_report::aggregate::Block;
use harness_report::analysis::Analysis;
use harness_report::metrics::ClassRow;

/// Classes that are shown.
const SHOWN: usize = 10;

/// A line each for the classes whose accuracy fell most from Base to New, those whose interval of New
/// excludes Base; nothing where the report keeps no labels.
pub(crate) fn worst_classes(
    report: &Report,
    block: &Block<'_>,
    analysis: &Analysis<'_>,
) -> Vec<String> {
    let mut rows: Vec<(&str, &str, ClassRow)> = Vec::new();
    for one in analysis.of_block(block.upgrade, block.shots) {
        let fell = |row: &ClassRow| row.new_interval.high < row.base;
        let classes = one.classes(report).into_iter().filter(fell);
        rows.extend(classes.map(|row| (one.method, one.dataset, row)));
    }
    rows.sort_by(|a, b| a.2.change().total_cmp(&b.2.change()));
    let lines = rows.iter().take(SHOWN).map(|(method, dataset, row)| {
        let mut datasets = report.datasets.iter();
        let found = datasets.find(|one| one.name == *dataset);
        let name = found.and_then(|one| one.class_names.get(row.class));
        format!(
            "{} {}, {}, {}: {} → {}, {} images",
            points(row.change()),
            one_line(method, NAME),
            one_line(dataset, NAME),
            one_line(name.map_or("?", String::as_str), NAME),
            percent(row.base),
            percent(row.new),
            row.images
        )
    });
    lines.collect()
}
