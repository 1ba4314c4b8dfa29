//! The standard normal distribution.
//!
//! The complementary error function is its power series below 2 and its continued
//! fraction above (Abramowitz and Stegun 7.1.6, 7.1.14).

use std::f64::consts::{PI, SQRT_2};

use crate::stats::bisect::bisect;

/// Where the series gives way to the continued fraction.
const SWITCH: f64 = 2.0;

/// P(Z > z); 0 and 1 at the infinities.
pub fn normal_upper_tail(z: f64) -> f64 {
    if z < 0.0 {
        1.0 - complement(-z / SQRT_2) / 2.0
    } else {
        complement(z / SQRT_2) / 2.0
    }
}

/// The z with P(Z ≤ z) = `probability`; `None` unless `probability` lies strictly
/// between 0 and 1.
pub fn normal_quantile(probability: f64) -> Option<f64> {
    if !(probability > 0.0 && probability < 1.0) {
        return None;
    }
    if probability == 0.5 {
        return Some(0.0);
    }
    let tail = probability.min(1.0 - probability);
    // P(Z > 39) is no longer a number above 0.
    let z = bisect(0.0, 39.0, |z| normal_upper_tail(z) > tail);
    Some(if probability < 0.5 { -z } else { z })
}

/// erfc(x) for x ≥ 0.
fn complement(x: f64) -> f64 {
    if x < SWITCH {
        return 1.0 - series(x);
    }
    let square = x * x;
    // Beyond this the exponential is 0.
    if square > 745.0 {
        return 0.0;
    }
    // K = x + 1/2 / (x + 1 / (x + 3/2 / (x + …))), from the inside out.
    let mut fraction = x;
    for step in (1..=120).rev() {
        fraction = x + f64::from(step) / 2.0 / fraction;
    }
    (-square).exp() / (fraction * PI.sqrt())
}

/// erf(x) = 2/√π e^(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)), all terms of one sign.
fn series(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    let mut n = 0.0;
    while term > sum * f64::EPSILON / 4.0 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // python -c "from scipy.stats import norm; [print(f'({z}, {norm.sf(z)!r}),') for z in (-8, -1.5, -.2, 0, .3, 1, 1.959963984540054, 2.8, 2.9, 5, 12, 37)]"
    const TAILS: &[(f64, f64)] = &[
        (-8.0, 0.9999999999999993),
        (-1.5, 0.9331927987311419),
        (-0.2, 0.579259709439103),
        (0.0, 0.5),
        (0.3, 0.3820885778110474),
        (1.0, 0.15865525393145707),
        (1.959963984540054, 0.025),
        (2.8, 0.002555130330427932),
        (2.9, 0.0018658133003840375),
        (5.0, 2.866515718791933e-07),
        (12.0, 1.776482112077653e-33),
        (37.0, 5.7255712225239266e-300),
    ];

    // python -c "from scipy.stats import norm; [print(f'({p}, {norm.ppf(p)!r}),') for p in (.975, .95, .9, .8, .5, .1, 1e-3, 1e-12)]"
    const QUANTILES: &[(f64, f64)] = &[
        (0.975, 1.959963984540054),
        (0.95, 1.6448536269514722),
        (0.9, 1.2815515655446004),
        (0.8, 0.8416212335729143),
        (0.5, 0.0),
        (0.1, -1.2815515655446004),
        (1e-3, -3.090232306167813),
        (1e-12, -7.034483825301131),
    ];

    #[test]
    fn tails_are_scipys() {
        for &(z, expected) in TAILS {
            let found = normal_upper_tail(z);
            assert!((found / expected - 1.0).abs() < 1e-11, "{z}: {found}");
        }
        assert_eq!(normal_upper_tail(f64::INFINITY), 0.0);
        assert_eq!(normal_upper_tail(f64::NEG_INFINITY), 1.0);
    }

    #[test]
    fn quantiles_are_scipys() {
        for &(p, expected) in QUANTILES {
            let found = normal_quantile(p).unwrap();
            assert!((found - expected).abs() < 1e-11, "{p}: {found}");
        }
        for p in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(normal_quantile(p), None, "{p}");
        }
    }

    proptest! {
        #[test]
        fn the_tails_are_mirror_images(z in -6.0..6.0f64) {
            let sum = normal_upper_tail(z) + normal_upper_tail(-z);
            prop_assert!((sum - 1.0).abs() < 1e-14);
        }

        #[test]
        fn the_series_meets_the_fraction(z in 2.6..3.0f64) {
            let step = normal_upper_tail(z) - normal_upper_tail(z + 1e-6);
            let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt() * 1e-6;
            prop_assert!((step / density - 1.0).abs() < 1e-5);
        }
    }
}
