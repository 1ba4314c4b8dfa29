//! The logarithm of the gamma function.

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

#[cfg(test)]
mod tests {
    use super::ln_gamma;

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
}
