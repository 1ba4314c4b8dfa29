//! Whether the test sets are large enough for the margin that the suite's gate asks for.

use std::fmt::Write;

use harness_engine::run::Forecast;
use harness_render::terminal::one_line;
use harness_report::stats::{detectable_difference, images_needed};

/// Assumed share of images that are right under one of two conditions and wrong under the other.
const DISCORDANCE: f64 = 0.1;
/// Probability of detecting a loss as large as the margin.
const POWER: f64 = 0.8;

/// The data sets that cannot decide the margin, with what they can and what it would take;
/// nothing where all of them can or the suite asks for no margin.
pub(crate) fn warning(forecast: &Forecast) -> String {
    let Some(gate) = forecast.gate else {
        return String::new();
    };
    let margin = gate.margin / 100.0;
    let small = forecast.test_images.iter().filter_map(|(name, images)| {
        let found = detectable_difference(*images as f64, DISCORDANCE, gate.alpha, POWER)?;
        let needed = images_needed(margin, DISCORDANCE, gate.alpha, POWER)?;
        (found > margin).then(|| {
            format!(
                "    {}: {images} test images detect {:.2} points; {needed} would detect {:.2}",
                one_line(name, 40),
                found * 100.0,
                gate.margin
            )
        })
    });
    let small: Vec<String> = small.collect();
    if small.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\nwarning: too few test images for the margin of {:.2} points (one comparison, alpha {}, power {:.0} %, \
         if {:.0} % of the images flip)",
        gate.margin,
        gate.alpha,
        POWER * 100.0,
        DISCORDANCE * 100.0
    );
    for line in small {
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use harness_engine::suite::Gate;

    use super::*;

    fn forecast(gate: Option<Gate>) -> Forecast {
        Forecast {
            suite: "s".to_owned(),
            cells: Vec::new(),
            features: 0,
            zero_shots: 0,
            trainings: 0,
            injections: 0,
            estimate: None,
            absent: Vec::new(),
            gate,
            test_images: vec![("small".to_owned(), 1000), ("large".to_owned(), 20_000)],
        }
    }

    #[test]
    fn small_test_sets_are_named_with_what_they_tell() {
        let gate = Gate {
            margin: 1.0,
            alpha: 0.05,
        };
        let text = warning(&forecast(Some(gate)));
        // (1.6449 + 0.8416) sqrt(0.1 / 1000) = 2.49 points
        assert!(
            text.contains("small: 1000 test images detect 2.49 points; 6183"),
            "{text}"
        );
        assert!(text.contains("if 10 % of the images flip"), "{text}");
        assert!(!text.contains("large"), "{text}");
        assert_eq!(warning(&forecast(None)), "");
    }
}
