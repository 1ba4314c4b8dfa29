//! What a part of a report is about, and the line for machines at its end.

use crate::text::NAME;
use crate::text::numbers::list;
use crate::text::sanitise::one_line;
use harness_report::aggregate::Block;
use harness_report::{Report, Status};

/// Upgrade, shots and seeds of a block.
pub(crate) fn heading(block: &Block<'_>) -> String {
    let seeds: Vec<String> = block.seeds.iter().map(u64::to_string).collect();
    format!(
        "{} → {}, {} {}, {} {}",
        one_line(&block.upgrade.source, NAME),
        one_line(&block.upgrade.target, NAME),
        block.shots,
        if block.shots == 1 { "shot" } else { "shots" },
        if seeds.len() == 1 { "seed" } else { "seeds" },
        list(&seeds)
    )
}

/// The number of cells in each status and the wall-clock seconds of the run, for `grep`:
/// `Summary ok=… not-injectable=… failed=… crashed=… timed-out=… not-run=… wall=…s`.
pub(crate) fn summary_line(report: &Report) -> String {
    let count = |wanted: &str| {
        let words = report.cells.iter().map(|cell| Status::word(&cell.status));
        words.filter(|word| *word == wanted).count()
    };
    format!(
        "Summary ok={} not-injectable={} failed={} crashed={} timed-out={} not-run={} wall={:.1}s",
        count("ok"),
        count("not-injectable"),
        count("failed"),
        count("crashed"),
        count("timed-out"),
        count("not-run"),
        report.provenance.wall_seconds
    )
}
