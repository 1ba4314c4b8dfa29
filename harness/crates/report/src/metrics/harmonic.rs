//! H, the harmonic mean of Base and New.

use crate::stats::mean;

/// `2BN / (B + N)`; 0 if either is 0.
///
/// Base is A(s→s) and New A(s→t), not accuracies on base and novel classes.
pub fn harmonic_mean(base: f64, new: f64) -> f64 {
    if base == 0.0 || new == 0.0 {
        return 0.0;
    }
    2.0 * base * new / (base + new)
}

/// H of the averages of Base and New over data sets, `(base, new)` each; `None` of
/// nothing. This is the convention of the papers of this field.
pub fn harmonic_of_means(pairs: &[(f64, f64)]) -> Option<f64> {
    let (base, new): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    Some(harmonic_mean(mean(&base)?, mean(&new)?))
}

/// The average over data sets of each one's H; `None` of nothing. Never above
/// [`harmonic_of_means`].
pub fn mean_of_harmonics(pairs: &[(f64, f64)]) -> Option<f64> {
    let each: Vec<f64> = pairs.iter().map(|(b, n)| harmonic_mean(*b, *n)).collect();
    mean(&each)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agrees_with_a_published_row() {
        // ProDA over eleven data sets: 81.56 and 75.83 give 78.59.
        assert_eq!((harmonic_mean(0.8156, 0.7583) * 1e4).round(), 7859.0);
    }

    #[test]
    fn zero_on_either_side_is_zero() {
        assert_eq!(harmonic_mean(0.0, 0.7), 0.0);
        assert_eq!(harmonic_mean(0.7, 0.0), 0.0);
        assert_eq!(harmonic_mean(0.0, 0.0), 0.0);
    }

    #[test]
    fn the_two_conventions_differ() {
        let pairs = [(0.9, 0.1), (0.5, 0.5)];
        // H(0.7, 0.3) = 0.42; (H(0.9, 0.1) + H(0.5, 0.5)) / 2 = (0.18 + 0.5) / 2
        assert!((harmonic_of_means(&pairs).unwrap() - 0.42).abs() < 1e-12);
        assert!((mean_of_harmonics(&pairs).unwrap() - 0.34).abs() < 1e-12);
        assert_eq!(harmonic_of_means(&[]), None);
        assert_eq!(mean_of_harmonics(&[]), None);
    }

    proptest! {
        #[test]
        fn lies_between_and_is_symmetric(b in 0.0..=1.0f64, n in 0.0..=1.0f64) {
            let h = harmonic_mean(b, n);
            prop_assert_eq!(h, harmonic_mean(n, b));
            prop_assert!(h >= b.min(n) - 1e-12 && h <= b.max(n) + 1e-12);
            prop_assert!(h <= (b + n) / 2.0 + 1e-12);
        }

        #[test]
        fn equal_sides_give_that_value(b in 0.0..=1.0f64) {
            prop_assert!((harmonic_mean(b, b) - b).abs() < 1e-12);
        }

        #[test]
        fn averaging_first_is_never_lower(
            pairs in prop::collection::vec((0.0..=1.0f64, 0.0..=1.0f64), 1..10),
        ) {
            let of_means = harmonic_of_means(&pairs).unwrap();
            prop_assert!(mean_of_harmonics(&pairs).unwrap() <= of_means + 1e-12);
        }
    }
}
