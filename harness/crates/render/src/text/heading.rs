//! What a part of a report is about, and the line for machines at its end.

use std::collections::BTreeSet;

use crate::text::NAME;
use crate::text::numbers::list;
use crate::text::sanitise::one_line;
use harness_report::aggregate::Block;
use harness_report::{Report, Seeds, Status};

/// Upgrade, shots and seeds of a block.
pub(crate) fn heading(block: &Block<'_>) -> String {
    format!(
        "{} → {}, {} {}, {}",
        one_line(&block.upgrade.source, NAME),
        one_line(&block.upgrade.target, NAME),
        block.shots,
        if block.shots == 1 { "shot" } else { "shots" },
        seeds(&block.seeds)
    )
}

/// `seeds 1, 2 and 3`; of every pair of two lists `splits 1 and 2, training seeds 1 and 2`.
fn seeds(all: &[Seeds]) -> String {
    let splits: BTreeSet<u64> = all.iter().map(|one| one.split).collect();
    let trainings: BTreeSet<u64> = all.iter().map(|one| one.training).collect();
    let numbers = |noun: &str, numbers: &BTreeSet<u64>| {
        let plural = if numbers.len() == 1 { "" } else { "s" };
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        format!("{noun}{plural} {}", list(&numbers))
    };
    if all.iter().any(|one| one.split != one.training)
        && all.len() == splits.len() * trainings.len()
    {
        let training = numbers("training seed", &trainings);
        return format!("{}, {training}", numbers("split", &splits));
    }
    let noun = if all.len() == 1 { "seed" } else { "seeds" };
    let all: Vec<String> = all.iter().map(Seeds::to_string).collect();
    format!("{noun} {}", list(&all))
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
