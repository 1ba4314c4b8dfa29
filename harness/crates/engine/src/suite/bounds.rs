//! How much a suite may ask for.

use super::tree::Node;
use super::upgrade::Upgrade;
use super::{Mark, Mistake, Suite};

/// Cells of one suite: twice what is planned within half a minute and a gibibyte.
const MOST_CELLS: usize = 200_000;

/// A mistake at the longest of the lists that are multiplied, if they make too many cells.
pub(super) fn check(suite: &Suite, tree: &Node) -> Option<Mistake> {
    let targets: usize = suite.upgrades.iter().map(Upgrade::pairs).sum();
    let factors = [
        ("upgrades", targets, "targets"),
        ("methods", suite.methods.len(), "methods"),
        ("datasets", suite.datasets.len(), "data sets"),
        ("shots", suite.shots.len(), "numbers of shots"),
        ("seeds", suite.seeds.count(), "seeds"),
    ];
    let cells = factors
        .iter()
        .fold(1_usize, |cells, (_, count, _)| cells.saturating_mul(*count));
    if cells <= MOST_CELLS {
        return None;
    }
    let (key, ..) = factors.iter().max_by_key(|(_, count, _)| *count)?;
    let mark = tree.get(key).map_or_else(Mark::default, |node| node.mark);
    let product: Vec<String> = factors
        .iter()
        .map(|(_, count, noun)| format!("{count} {noun}"))
        .collect();
    let message = format!(
        "{} make {cells} cells, more than the {MOST_CELLS} of one suite",
        product.join(" × ")
    );
    Some(Mistake::new(mark, message).hint("shorten a list, or split the suite"))
}
