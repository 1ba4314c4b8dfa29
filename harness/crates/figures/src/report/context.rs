//! What every figure of an upgrade has.

use harness_render::terminal::one_line;
use harness_report::Report;
use harness_report::aggregate::Block;
use harness_report::analysis::Analysis;

use crate::options::Options;

/// An upgrade with a number of shots, and how its figures are drawn.
pub(super) struct Context<'a> {
    pub(super) report: &'a Report,
    pub(super) block: &'a Block<'a>,
    pub(super) analysis: &'a Analysis<'a>,
    pub(super) options: Options,
}

/// A figure, or why there is nothing to draw.
pub(super) type Drawn = Result<Result<crate::Figure, &'static str>, crate::FigureError>;

impl Context<'_> {
    /// Source, target and shots.
    pub(super) fn title(&self) -> String {
        let upgrade = self.block.upgrade;
        let name = |name: &str| one_line(name, 40);
        format!(
            "{} → {}, {} shots",
            name(&upgrade.source),
            name(&upgrade.target),
            self.block.shots
        )
    }

    /// Parts of the names of its files.
    pub(super) fn name<'n>(&'n self, kind: &'n str, shots: &'n str) -> [&'n str; 4] {
        let upgrade = self.block.upgrade;
        [kind, &upgrade.source, &upgrade.target, shots]
    }

    pub(super) fn shots(&self) -> String {
        format!("{} shots", self.block.shots)
    }

    /// The data sets, named as long as there is room for it.
    pub(super) fn datasets(&self, of: &[usize]) -> String {
        let names: Vec<&str> = of.iter().map(|at| self.block.datasets[*at]).collect();
        match names.len() {
            0..=4 => one_line(&names.join(", "), 90),
            count => format!("{count} data sets"),
        }
    }

    /// What an interval is of; empty where nothing has one.
    pub(super) fn intervals(has: bool) -> &'static str {
        if has { "; bars: 95 % over seeds" } else { "" }
    }
}
