//! Holm's step-down correction for several tests (Holm 1979).

/// The adjusted p-values, in the order given: rejecting those below α holds the chance
/// of any false rejection at α, however the tests depend on each other.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut highest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let tests_left = (p_values.len() - rank) as f64;
        highest = highest.max(p_values[index] * tests_left).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}
