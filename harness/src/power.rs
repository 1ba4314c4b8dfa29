//! Whether seeds and test sets are enough for the margin that the suite's gate asks for.

use std::collections::BTreeSet;

use harness_engine::run::Forecast;
use harness_render::terminal::{Style, table};
use harness_report::gate::BORROWED_DEVIATION;
use harness_report::stats::{normal_quantile, student_quantile};
use harness_report::{Replicates, Seeds};
use schemars::JsonSchema;
use serde::Serialize;

use crate::thousands::thousands;

/// Assumed share of images that are right under one of two conditions and wrong under the other.
const DISCORDANCE: f64 = 0.1;
/// Probability of detecting a loss.
const POWER: f64 = 0.8;
/// Numbers of seeds that are shown beside the suite's own.
const SEEDS: [usize; 3] = [3, 5, 10];
/// Degrees of freedom that the gate takes from the other cells.
const PRIOR_FREEDOM: f64 = 6.0;

/// The smallest loss in one of `cells` cells, a fraction, that the gate detects at 80 % power if all of
/// them are trained again: `(t(1 - alpha / cells) + z(0.8)) √(σ² / seeds + ψ / images)`. `None` without
/// seeds, images or cells.
fn detectable(images: u64, seeds: usize, cells: usize, alpha: f64) -> Option<f64> {
    if images == 0 || seeds == 0 || cells == 0 {
        return None;
    }
    let own = seeds as f64 - 1.0;
    let freedom = match seeds {
        1 => PRIOR_FREEDOM,
        _ => own + PRIOR_FREEDOM.min(3.0 * own),
    };
    let reach = student_quantile(1.0 - alpha / cells as f64, freedom)? + normal_quantile(POWER)?;
    let variance = BORROWED_DEVIATION.powi(2) / seeds as f64 + DISCORDANCE / images as f64;
    Some(reach * variance.sqrt())
}

/// What a gate would see on a data set.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Power {
    dataset: String,
    /// Test images.
    images: u64,
    /// For the suite's seeds and for more of them.
    by_seeds: Vec<Detectable>,
}

/// The smallest losses that some seeds detect, in points.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Detectable {
    /// Seeds or, where they are crossed, few-shot splits.
    seeds: usize,
    /// In one of all changed cells.
    points: f64,
    /// If one cell changed alone.
    points_alone: f64,
}

/// What the gate of a suite would see on each of its data sets; nothing where it has no gate.
pub(crate) fn power(forecast: &Forecast) -> Vec<Power> {
    let Some(gate) = forecast.gate else {
        return Vec::new();
    };
    let own = replicates(forecast).count().max(1);
    let cells = cells(forecast);
    let more = SEEDS.into_iter().filter(|seeds| *seeds > own);
    let seeds: Vec<usize> = std::iter::once(own).chain(more).collect();
    let found = forecast.test_images.iter().filter_map(|(name, images)| {
        let by_seeds = seeds.iter().map(|seeds| {
            let points = |cells| Some(100.0 * detectable(*images, *seeds, cells, gate.alpha)?);
            Some(Detectable {
                seeds: *seeds,
                points: points(cells)?,
                points_alone: points(1)?,
            })
        });
        Some(Power {
            dataset: name.clone(),
            images: *images,
            by_seeds: by_seeds.collect::<Option<_>>()?,
        })
    });
    found.collect()
}

fn replicates(forecast: &Forecast) -> Replicates {
    let seeds: BTreeSet<Seeds> = forecast.cells.iter().map(|cell| cell.seed).collect();
    Replicates::of(seeds)
}

/// Cells of the gate: with all of their seeds.
fn cells(forecast: &Forecast) -> usize {
    let cells: BTreeSet<_> = forecast
        .cells
        .iter()
        .map(|cell| {
            (
                &cell.source,
                &cell.target,
                &cell.method,
                &cell.dataset,
                cell.shots,
            )
        })
        .collect();
    cells.len().max(1)
}

/// The losses that the gate would see, by seeds and test images, if they are above its margin on
/// some data set; nothing where the suite asks for no margin or all of it is within.
pub(crate) fn warning(forecast: &Forecast, style: &Style) -> String {
    let (Some(gate), found) = (forecast.gate, power(forecast)) else {
        return String::new();
    };
    let is_weak = |one: &&Power| one.by_seeds[0].points > gate.margin;
    let weak: Vec<&Power> = found.iter().filter(is_weak).collect();
    let Some(first) = weak.first() else {
        return String::new();
    };
    let noun = replicates(forecast).noun();
    let heads = first.by_seeds.iter().map(|one| match one.seeds {
        1 => "1 seed".to_owned(),
        seeds => format!("{seeds} {noun}"),
    });
    let heads: Vec<String> = std::iter::once("images".to_owned()).chain(heads).collect();
    let rows = weak.iter().map(|one| {
        let losses = one.by_seeds.iter();
        let losses = losses.map(|at| format!("{:.1} ({:.1})", at.points, at.points_alone));
        let texts = std::iter::once(thousands(one.images)).chain(losses);
        (one.dataset.clone(), texts.collect())
    });
    let own = first.by_seeds[0].seeds;
    format!(
        "\nwarning: {own} {} and these test sets detect only losses above the margin of {:.2} points, if \
         modules are trained again (alpha {}, power {:.0} %, {:.1} points between trainings, {:.0} % of the \
         images flip)\nSmallest loss that is detected in one of {} cells (in a cell alone), in points\n{}",
        if own == 1 { "seed" } else { noun },
        gate.margin,
        gate.alpha,
        POWER * 100.0,
        BORROWED_DEVIATION * 100.0,
        DISCORDANCE * 100.0,
        cells(forecast),
        table(&heads, &rows.collect::<Vec<_>>(), style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_seeds_images_and_fewer_cells_detect_less() {
        let base = detectable(1000, 3, 35, 0.05).unwrap();
        assert!(detectable(1000, 5, 35, 0.05).unwrap() < base);
        assert!(detectable(4000, 3, 35, 0.05).unwrap() < base);
        assert!(detectable(1000, 3, 1, 0.05).unwrap() < base);
        assert!(detectable(1000, 1, 35, 0.05).unwrap() > base);
        assert_eq!(detectable(0, 3, 35, 0.05), None);
    }

    // scipy: (t.ppf(.95, 8) + norm.ppf(.8)) * sqrt(.024**2 / 3 + .1 / 1000)
    #[test]
    fn one_cell_agrees_with_scipy() {
        let found = detectable(1000, 3, 1, 0.05).unwrap();
        assert!((found - 0.04615760073809518).abs() < 1e-9, "{found}");
    }
}
