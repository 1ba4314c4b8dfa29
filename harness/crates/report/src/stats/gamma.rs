//! The logarithm of the gamma function and its derivatives.

use crate::stats::bisect::bisect;

/// ln Γ(x) for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) above 10,
/// carried down by Γ(x + 1) = x Γ(x).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const SERIES: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let mut x = x;
    let mut below = 0.0;
    while x < 10.0 {
        below += x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum / square + term)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - below
}

/// ψ(x), the derivative of ln Γ, for x > 0: the asymptotic series (Abramowitz and Stegun
/// 6.3.18) above 10, carried down by ψ(x + 1) = ψ(x) + 1/x.
pub(crate) fn digamma(x: f64) -> f64 {
    const SERIES: [f64; 6] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
    ];
    let mut x = x;
    let mut below = 0.0;
    while x < 10.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let square = x * x;
    let series = SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum / square + term);
    x.ln() - 0.5 / x - series / square - below
}

/// ψ'(x) for x > 0: the asymptotic series (Abramowitz and Stegun 6.4.12) above 10, carried
/// down by ψ'(x + 1) = ψ'(x) - 1/x².
pub(crate) fn trigamma(x: f64) -> f64 {
    const SERIES: [f64; 6] = [
        1.0 / 6.0,
        -1.0 / 30.0,
        1.0 / 42.0,
        -1.0 / 30.0,
        5.0 / 66.0,
        -691.0 / 2730.0,
    ];
    let mut x = x;
    let mut below = 0.0;
    while x < 10.0 {
        below += 1.0 / (x * x);
        x += 1.0;
    }
    let square = x * x;
    let series = SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum / square + term);
    1.0 / x + 0.5 / square + series / (square * x) + below
}

/// The x with ψ'(x) = `value`, for `value` > 0.
pub(crate) fn inverse_trigamma(value: f64) -> f64 {
    // ψ' falls, and lies between 1/x and 1/x + 1/x².
    let mut high = 1.0;
    while trigamma(high) > value && high < 1e15 {
        high *= 2.0;
    }
    bisect(0.0, high, |x| x <= 0.0 || trigamma(x) > value)
}

#[cfg(test)]
mod tests {
    use super::{digamma, inverse_trigamma, ln_gamma, trigamma};

    // python -c "from scipy.special import gammaln; [print(f'({x}, {gammaln(x)!r}),') for x in (.5, 1, 2, 3.25, 10, 171.5, 1e5)]"
    #[test]
    fn agrees_with_scipy() {
        for (x, expected) in [
            (0.5, 0.5723649429247001),
            (1.0, 0.0),
            (2.0, 0.0),
            (3.25, 0.9358019311087253),
            (10.0, 12.801827480081469),
            (171.5, 709.1431630309283),
            (1e5, 1051287.7089736569),
        ] {
            let error = (ln_gamma(x) - expected).abs();
            assert!(error < 1e-13 * f64::max(1.0, expected), "{x}: {error}");
        }
    }

    // python -c "from scipy.special import digamma as d, polygamma as p; [print(f'({x}, {d(x)!r}, {p(1, x)!r}),') for x in (.5, 1, 2, 3.25, 10, 171.5)]"
    #[test]
    fn derivatives_agree_with_scipy() {
        for (x, first, second) in [
            (0.5, -1.9635100260214235, 4.93480220054468),
            (1.0, -0.5772156649015329, 1.6449340668482266),
            (2.0, 0.42278433509846713, 0.6449340668482266),
            (3.25, 1.016990911068179, 0.3597982903095798),
            (10.0, 2.251752589066721, 0.10516633568168576),
            (171.5, 5.141664981434, 0.0058479365506103834),
        ] {
            assert!((digamma(x) - first).abs() < 1e-12, "{x}: {}", digamma(x));
            assert!((trigamma(x) - second).abs() < 1e-12, "{x}: {}", trigamma(x));
            assert!((inverse_trigamma(second) / x - 1.0).abs() < 1e-9, "{x}");
        }
    }
}
