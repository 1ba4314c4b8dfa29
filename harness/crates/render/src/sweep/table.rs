//! A sweep as rows of text.

use crate::tables::{Number, Unit};
use harness_report::sweep::Panel;

/// Heads of the columns of [`rows`]; accuracies are in percent.
pub fn head(key: &str) -> [String; 5] {
    [
        "SERIES",
        key,
        "BASE (SOURCE)",
        "NEW (TARGET)",
        "NEW OVER ZERO-SHOT",
    ]
    .map(str::to_owned)
}

/// One row a value of every series: means over data sets, with the 95 % interval
/// over seeds.
pub fn rows(panel: &Panel) -> Vec<Vec<String>> {
    let lines = panel.series.iter();
    lines
        .flat_map(|line| {
            line.points.iter().map(|point| {
                vec![
                    line.name.clone(),
                    point.label.clone(),
                    Number::of(&point.base, Unit::Percent).text(),
                    Number::of(&point.new, Unit::Percent).text(),
                    Number::of(&point.over_zero_shot, Unit::Points).text(),
                ]
            })
        })
        .collect()
}
