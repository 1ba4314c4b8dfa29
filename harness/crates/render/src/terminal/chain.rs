//! Chains of upgrades.

use crate::tables::chain::{self, BY_METHOD, TITLE};
use crate::terminal::draw::grid;
use crate::terminal::style::Style;
use crate::terminal::wrap;
use harness_report::Report;
use harness_report::analysis::{Analysis, ChainAnalysis, analyse};

/// How much is said of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Of methods on several data sets their means.
    Brief,
    /// Every data set.
    Whole,
}

/// The chains of a report, with a row for each module; empty where it has none.
pub fn render_chains(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    chains(&analyse(report), Extent::Whole, *style, &mut text);
    text
}

/// A table for each chain, below it which step lost what.
pub(super) fn chains(analysis: &Analysis<'_>, extent: Extent, style: Style, text: &mut String) {
    for of in &analysis.chains {
        one(of, extent, style, text);
    }
}

fn one(of: &ChainAnalysis<'_>, extent: Extent, style: Style, text: &mut String) {
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let flow = |sentence: &str| wrap::sentence(sentence, style.width, "  ");
    line(&style.bold(&flow(&chain::heading(of))));
    line(&flow(TITLE));
    let means = chain::by_method(of);
    if let Some(means) = &means {
        line(&grid(means, None).draw(style));
        line(&flow(BY_METHOD));
    }
    if means.is_none() || extent == Extent::Whole {
        line(&grid(&chain::chain(of), None).draw(style));
    }
    for sentence in chain::sentences(of) {
        line(&flow(&sentence));
    }
    line("");
}
