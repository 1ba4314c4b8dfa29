//! Student's t distribution.
//!
//! The distribution function is the regularised incomplete beta function
//! `1 - I(ν / (ν + t²); ν/2, 1/2) / 2`, evaluated by its continued fraction
//! (Abramowitz and Stegun 26.5.8, 26.7.1) with Lentz's algorithm.

use crate::stats::bisect::bisect;
use crate::stats::gamma::ln_gamma;
use crate::stats::normal::{normal_quantile, normal_upper_tail};

/// From as many degrees of freedom on, t is the normal distribution.
const NORMAL: f64 = 1e6;

/// P(T > t); of the normal distribution with very many degrees of freedom, or infinitely many.
pub fn student_upper_tail(t: f64, freedom: f64) -> f64 {
    match student_cdf(-t, freedom) {
        Some(p) if freedom < NORMAL => p,
        _ => normal_upper_tail(t),
    }
}

/// The t with P(T > t) = `tail`, likewise; `None` unless `tail` lies strictly between 0 and 1.
pub fn student_critical(tail: f64, freedom: f64) -> Option<f64> {
    match student_quantile(1.0 - tail, freedom) {
        Some(t) if freedom < NORMAL => Some(t),
        _ => normal_quantile(1.0 - tail),
    }
}

/// P(T ≤ t) with `freedom` degrees of freedom; `None` unless these are positive
/// and both numbers finite.
pub fn student_cdf(t: f64, freedom: f64) -> Option<f64> {
    if !(freedom > 0.0 && freedom.is_finite() && t.is_finite()) {
        return None;
    }
    let upper = upper_tail(t.abs(), freedom);
    Some(if t < 0.0 { upper } else { 1.0 - upper })
}

/// The t with P(T ≤ t) = `probability`; `None` unless `probability` lies strictly
/// between 0 and 1 and `freedom` is positive and finite.
pub fn student_quantile(probability: f64, freedom: f64) -> Option<f64> {
    if !(probability > 0.0 && probability < 1.0 && freedom > 0.0 && freedom.is_finite()) {
        return None;
    }
    if probability == 0.5 {
        return Some(0.0);
    }
    let tail = probability.min(1.0 - probability);
    let mut high = 1.0;
    while upper_tail(high, freedom) > tail {
        high *= 2.0;
        if !f64::is_finite(high) {
            return None;
        }
    }
    let high = bisect(0.0, high, |t| upper_tail(t, freedom) > tail);
    Some(if probability < 0.5 { -high } else { high })
}

/// P(T > t) for t ≥ 0.
fn upper_tail(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    incomplete_beta(
        freedom / (freedom + square),
        square / (freedom + square),
        freedom / 2.0,
        0.5,
    ) / 2.0
}

/// I(x; a, b) with y = 1 - x, given apart so that no digits are lost near x = 1.
fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let scale = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln()).exp();
    // The fraction converges fast on one side of the mean; the other is its mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        scale * beta_fraction(x, a, b) / a
    } else {
        1.0 - scale * beta_fraction(y, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guarded = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guarded(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / guarded(1.0 + coefficient * d);
            c = guarded(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // python -c "from scipy.stats import t; [print(f'({p}, {v}, {t.ppf(p, v)!r}),') for p in (.975, .95, .995, .6) for v in (1, 2, 3, 4, 9, 29.5, 1000)]"
    const QUANTILES: &[(f64, f64, f64)] = &[
        (0.975, 1.0, 12.706204736174694),
        (0.975, 2.0, 4.302652729749462),
        (0.975, 3.0, 3.1824463052837078),
        (0.975, 4.0, 2.7764451051977934),
        (0.975, 9.0, 2.262157162798205),
        (0.975, 29.5, 2.043724966772122),
        (0.975, 1000.0, 1.9623390808264083),
        (0.95, 1.0, 6.313751514675037),
        (0.95, 2.0, 2.9199855803537242),
        (0.95, 3.0, 2.3533634348018233),
        (0.95, 4.0, 2.1318467863266495),
        (0.95, 9.0, 1.833112932656237),
        (0.95, 29.5, 1.6981776388380057),
        (0.95, 1000.0, 1.6463788172854643),
        (0.995, 1.0, 63.656741162871526),
        (0.995, 2.0, 9.924843200918287),
        (0.995, 3.0, 5.840909309733355),
        (0.995, 4.0, 4.604094871349992),
        (0.995, 9.0, 3.249835541592126),
        (0.995, 29.5, 2.753133270256325),
        (0.995, 1000.0, 2.580754698065951),
        (0.6, 1.0, 0.32491969623290634),
        (0.6, 2.0, 0.2886751345948128),
        (0.6, 3.0, 0.2766706623326898),
        (0.6, 4.0, 0.2707222947075976),
        (0.6, 9.0, 0.260955336473911),
        (0.6, 29.5, 0.2556438332441564),
        (0.6, 1000.0, 0.25341451583949876),
    ];

    // python -c "from scipy.stats import t; [print(f'({x}, {v}, {t.cdf(x, v)!r}),') for x in (-40, -2.5, -.1, 0, .7, 3) for v in (1, 2, 7.5, 60)]"
    const DISTRIBUTION: &[(f64, f64, f64)] = &[
        (-40.0, 1.0, 0.007956089912025812),
        (-40.0, 2.0, 0.0003122073360923703),
        (-40.0, 7.5, 2.559528381854894e-10),
        (-40.0, 60.0, 2.8777402433136926e-45),
        (-2.5, 1.0, 0.12111894159084341),
        (-2.5, 2.0, 0.06480586011075541),
        (-2.5, 7.5, 0.019410129136812764),
        (-2.5, 60.0, 0.007585390117444264),
        (-0.1, 1.0, 0.4682744825694465),
        (-0.1, 2.0, 0.4647327192070701),
        (-0.1, 7.5, 0.4614826660338951),
        (-0.1, 60.0, 0.46033885602827446),
        (0.0, 1.0, 0.5),
        (0.0, 2.0, 0.5),
        (0.0, 7.5, 0.5),
        (0.0, 60.0, 0.5),
        (0.7, 1.0, 0.6944001122142147),
        (0.7, 2.0, 0.7218034876835673),
        (0.7, 7.5, 0.7474721890630748),
        (0.7, 60.0, 0.7566836675072439),
        (3.0, 1.0, 0.8975836176504333),
        (3.0, 2.0, 0.9522670168666454),
        (3.0, 7.5, 0.9908045306958978),
        (3.0, 60.0, 0.9980361513335136),
    ];

    #[test]
    fn quantiles_are_scipys() {
        for &(p, freedom, expected) in QUANTILES {
            for (p, expected) in [(p, expected), (1.0 - p, -expected)] {
                let found = student_quantile(p, freedom).unwrap();
                let error = (found / expected - 1.0).abs();
                assert!(
                    error < 1e-11,
                    "t({p}; {freedom}): {found}, expected {expected}"
                );
            }
        }
    }

    #[test]
    fn distribution_is_scipys() {
        for &(t, freedom, expected) in DISTRIBUTION {
            let found = student_cdf(t, freedom).unwrap();
            let error = (found / expected - 1.0).abs();
            assert!(
                error < 1e-11,
                "P({t}; {freedom}): {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn what_has_no_quantile_gives_none() {
        for (p, freedom) in [
            (0.0, 2.0),
            (1.0, 2.0),
            (f64::NAN, 2.0),
            (0.9, 0.0),
            (0.9, f64::NAN),
        ] {
            assert_eq!(student_quantile(p, freedom), None, "t({p}; {freedom})");
        }
        assert_eq!(student_cdf(f64::NAN, 1.0), None);
        assert_eq!(student_cdf(1.0, -1.0), None);
    }

    proptest! {
        #[test]
        fn quantile_inverts_the_distribution(p in 0.001..0.999f64, freedom in 0.5..200.0f64) {
            let t = student_quantile(p, freedom).unwrap();
            prop_assert!((student_cdf(t, freedom).unwrap() - p).abs() < 1e-10);
        }
    }
}
