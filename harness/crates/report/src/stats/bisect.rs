//! Halving an interval.

/// The point of `[low, high]` at which `is_below` turns from true to false, as exact
/// as numbers are: no start value, no divergence. `is_below` must turn at most once.
pub(crate) fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    // Until the two ends are neighbours.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bisect;

    #[test]
    fn ends_beside_the_point() {
        let root = bisect(0.0, 2.0, |x| x * x < 2.0);
        assert!((root - 2f64.sqrt()).abs() <= f64::EPSILON * 2.0);
        assert_eq!(bisect(-1.0, 1.0, |_| true), 1.0);
    }
}
