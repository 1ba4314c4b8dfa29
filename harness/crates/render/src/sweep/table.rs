//! A sweep as rows of text.

use crate::terminal::numbers::{percent, points};
use harness_report::stats::Estimate;
use harness_report::sweep::Panel;

/// Heads of the columns of [`rows`]; accuracies are in percent.
pub fn head(key: &str) -> [String; 5] {
    ["SERIES", key, "BASE", "NEW", "NEW OVER ZERO-SHOT"].map(str::to_owned)
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
                    shown(&point.base, percent),
                    shown(&point.new, percent),
                    shown(&point.over_zero_shot, points),
                ]
            })
        })
        .collect()
}

fn shown(estimate: &Estimate, show: fn(f64) -> String) -> String {
    match estimate.half_width {
        Some(half) => format!("{} ±{}", show(estimate.mean), percent(half)),
        None => show(estimate.mean),
    }
}
