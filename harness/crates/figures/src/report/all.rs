//! Every figure of a report.

use harness_report::Report;
use harness_report::aggregate::blocks;
use harness_report::analysis::analyse;

use super::context::{Context, Drawn};
use super::{curves, depth, heat, methods, ranks, scatter};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::options::Options;

/// A figure that was not drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What kind of figure, of which upgrade.
    pub figure: String,
    pub why: &'static str,
}

/// Draws what the report has the numbers of: for each upgrade and number of shots accuracies by
/// method, Base against New, the heat map, the change of ranks, recovery by depth, and learning
/// curves.
///
/// # Errors
/// Something cannot be drawn.
pub fn figures(
    report: &Report,
    options: Options,
) -> Result<(Vec<Figure>, Vec<Skipped>), FigureError> {
    type Draw = fn(&Context<'_>) -> Drawn;
    const KINDS: [(&str, Draw); 6] = [
        ("methods", methods::draw),
        ("base against new", scatter::draw),
        ("heat map", heat::draw),
        ("ranks", ranks::draw),
        ("recovery by depth", depth::draw),
        ("learning curves", curves::draw),
    ];
    let analysis = analyse(report);
    let blocks = blocks(report);
    let mut figures: Vec<Figure> = Vec::new();
    let mut skipped = Vec::new();
    for block in &blocks {
        let context = Context {
            report,
            block,
            analysis: &analysis,
            options,
        };
        for (kind, draw) in KINDS {
            match draw(&context)? {
                Ok(figure) => figures.push(figure),
                Err(why) => skipped.push(Skipped {
                    figure: format!("{kind} of {}", context.title()),
                    why,
                }),
            }
        }
    }
    number_apart(&mut figures);
    Ok((figures, skipped))
}

/// Names that differ only in what a file name cannot hold get a number.
fn number_apart(figures: &mut [Figure]) {
    for at in 1..figures.len() {
        let (before, rest) = figures.split_at_mut(at);
        let Some(this) = rest.first_mut() else {
            continue;
        };
        let own = this.name.clone();
        let mut count = 1;
        while before.iter().any(|other| other.name == this.name) {
            count += 1;
            this.name = format!("{own}-{count}");
        }
    }
}
