//! Whether seeds and test sets are enough for the margin that the suite's gate asks for.

use std::collections::BTreeSet;
use std::fmt::Write;

use harness_engine::run::Forecast;
use harness_render::terminal::one_line;
use harness_report::gate::BORROWED_DEVIATION;
use harness_report::stats::{normal_quantile, student_quantile};
use harness_report::{Replicates, Seeds};

/// Assumed share of images that are right under one of two conditions and wrong under the other.
const DISCORDANCE: f64 = 0.1;
/// Probability of detecting a loss.
const POWER: f64 = 0.8;
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

/// For each data set the loss that a gate would see, with the seeds and images that it has; nothing
/// where the suite asks for no margin or all of it is within.
pub(crate) fn warning(forecast: &Forecast) -> String {
    let Some(gate) = forecast.gate else {
        return String::new();
    };
    let seeds: BTreeSet<Seeds> = forecast.cells.iter().map(|cell| cell.seed).collect();
    let replicates = Replicates::of(seeds);
    let seeds = replicates.count().max(1);
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
    let cells = cells.len().max(1);
    let lines = forecast.test_images.iter().filter_map(|(name, images)| {
        let found = detectable(*images, seeds, cells, gate.alpha)? * 100.0;
        let alone = detectable(*images, seeds, 1, gate.alpha)? * 100.0;
        (found > gate.margin).then(|| {
            format!(
                "    {}: {images} test images detect {found:.1} points in one of {cells} cells, {alone:.1} in a \
                 cell alone",
                one_line(name, 40)
            )
        })
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\nwarning: {seeds} {} and these test sets detect only losses above the margin of {:.2} points, if \
         modules are trained again (alpha {}, power {:.0} %, {:.1} points between trainings, {:.0} % of the \
         images flip)",
        if seeds == 1 {
            "seed"
        } else {
            replicates.noun()
        },
        gate.margin,
        gate.alpha,
        POWER * 100.0,
        BORROWED_DEVIATION * 100.0,
        DISCORDANCE * 100.0
    );
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text
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
