//! The mid-p McNemar test of two paired proportions (Fagerland, Lydersen and Laake
//! 2013, BMC Medical Research Methodology 13:91).

use crate::stats::gamma::ln_gamma;
use crate::stats::pairs::Pairs;

/// Two-sided mid-p value of "gained and lost are equally likely"; 1 without a
/// discordant pair.
pub fn mid_p_mcnemar(pairs: &Pairs) -> f64 {
    let fewer = tail(pairs.gained.min(pairs.lost), pairs.gained + pairs.lost);
    (2.0 * fewer).min(1.0)
}

/// One-sided mid-p value: how likely at least this many losses are when
/// gained and lost are equally likely. Small when `new` is worse.
pub fn mid_p_worse(pairs: &Pairs) -> f64 {
    tail(pairs.gained, pairs.gained + pairs.lost)
}

/// P(X < k) + P(X = k) / 2 for X binomial over `trials` fair coins.
fn tail(k: u64, trials: u64) -> f64 {
    // From the nearer side: fewer terms, and no difference of near equals.
    if 2 * k > trials {
        return 1.0 - tail(trials - k, trials);
    }
    let n = trials as f64;
    let log_top = ln_gamma(n + 1.0) - n * std::f64::consts::LN_2;
    let mass = |i: u64| {
        let i = i as f64;
        (log_top - ln_gamma(i + 1.0) - ln_gamma(n - i + 1.0)).exp()
    };
    (0..k).map(mass).sum::<f64>() + mass(k) / 2.0
}
