//! Numbers as the tables print them: accuracies in percent with two decimals.

use crate::text::glyph::{DOWN, LEVEL, UP};

/// What stands where no number exists.
pub(crate) const NOT_AVAILABLE: &str = "n/a";

/// A fraction in percent.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.2}", hundredfold(fraction))
}

/// A difference of fractions in percentage points, behind its glyph.
pub(crate) fn points(difference: f64) -> String {
    let rounded = hundredfold(difference);
    let glyph = match rounded {
        above if above > 0.0 => UP,
        below if below < 0.0 => DOWN,
        _ => LEVEL,
    };
    if rounded == 0.0 {
        format!("{glyph} 0.00")
    } else {
        format!("{glyph} {rounded:+.2}")
    }
}

/// A share in whole percent.
pub(crate) fn share(fraction: f64) -> String {
    // Adding 0 turns -0 into 0.
    format!("{:.0} %", (fraction * 100.0).round() + 0.0)
}

/// Percent, rounded to the two decimals that are printed; never -0.
fn hundredfold(fraction: f64) -> f64 {
    (fraction * 1e4).round() / 100.0 + 0.0
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `1 data set`, `2 data sets`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_is_level() {
        assert_eq!(points(0.0421), "▲ +4.21");
        assert_eq!(points(-0.0421), "▼ -4.21");
        for difference in [0.0, -0.0, 0.00004, -0.00004] {
            assert_eq!(points(difference), "· 0.00");
        }
        assert_eq!(share(-0.001), "0 %");
        assert_eq!(share(0.714), "71 %");
        assert_eq!(percent(0.63125), "63.13");
    }
}
