//! Kendall's rank correlation.

/// Kendall's τ-b of paired values (Kendall 1945, with the correction for ties): 1 for the
/// same order, -1 for the reverse. `None` below two pairs, and when either side is all ties.
pub fn kendall_tau(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mut score, mut left, mut right) = (0i64, 0i64, 0i64);
    for (at, first) in pairs.iter().enumerate() {
        for second in &pairs[at + 1..] {
            let (a, b) = (sign(first.0, second.0), sign(first.1, second.1));
            score += a * b;
            left += a * a;
            right += b * b;
        }
    }
    if left == 0 || right == 0 {
        return None;
    }
    Some(score as f64 / ((left as f64) * (right as f64)).sqrt())
}

fn sign(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}
