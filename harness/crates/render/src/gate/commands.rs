//! The commands that a failing cell prints.

use harness_report::gate::Comparison;
use harness_report::selection::{CellLabels, Selection};
use harness_report::shell::quote;

/// The paths that the commands of a failing cell name, as a shell takes them.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// The report's file; `None` where it was not written.
    pub report: Option<&'a str>,
    pub baseline: &'a str,
}

impl Commands<'_> {
    pub(super) fn rerun(&self, one: &Comparison<'_>) -> String {
        format!("{} --gate --baseline {}", one.rerun, quote(self.baseline))
    }

    pub(super) fn accept(&self, one: &Comparison<'_>) -> String {
        let cell = CellLabels {
            method: one.method,
            dataset: one.dataset,
            source: &one.upgrade.source,
            target: &one.upgrade.target,
            shots: one.shots,
            seed: one.seeds.first().copied().unwrap_or_default(),
        };
        format!(
            "harness baseline accept {} --baseline {}{}",
            self.report.map_or_else(|| "REPORT.json".to_owned(), quote),
            quote(self.baseline),
            Selection::of(&cell).any_seed().arguments()
        )
    }
}
