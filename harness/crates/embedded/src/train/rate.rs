//! Learning rate over a stage: linear warm-up, then half a cosine down to zero.

/// The rate at `step` of `steps`, as a share of the peak.
pub(crate) fn share(step: usize, steps: usize, warmup: usize) -> f64 {
    if step < warmup {
        return (step + 1) as f64 / warmup as f64;
    }
    let done = (step - warmup) as f64 / (steps - warmup).max(1) as f64;
    0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn golden_points_of_the_curve() {
        assert!((share(0, 110, 10) - 0.1).abs() < 1e-12);
        assert!((share(9, 110, 10) - 1.0).abs() < 1e-12);
        assert!((share(10, 110, 10) - 1.0).abs() < 1e-12);
        assert!((share(60, 110, 10) - 0.5).abs() < 1e-12);
        assert!(share(109, 110, 10) < 0.001);
    }
}
