//! A mean over seeds with its interval.

use crate::stats::student::student_quantile;

/// Arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the sample, `√(Σ(x - x̄)² / (n - 1))`; `None` below two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    if values.len() < 2 {
        return None;
    }
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// A mean and the half width of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// Student's t with n - 1 degrees of freedom times `sd / √n`; `None` below three
    /// values: of two, t is 12.7 and the interval says nothing.
    pub half_width: Option<f64>,
    /// Number of values.
    pub n: usize,
}

impl Estimate {
    /// Mean and interval of `values`; `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let half_width = standard_deviation(values).filter(|_| n > 2).and_then(|sd| {
            let t = student_quantile(0.975, (n - 1) as f64)?;
            Some(t * sd / (n as f64).sqrt())
        });
        Some(Self {
            mean: mean(values)?,
            half_width,
            n,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // python -c "import numpy as n; from scipy import stats as s; x=[.612,.634,.598]; print(n.mean(x), n.std(x, ddof=1), s.t.ppf(.975,2)*s.sem(x))"
    #[test]
    fn three_seeds_agree_with_scipy() {
        let found = Estimate::of(&[0.612, 0.634, 0.598]).unwrap();
        let sd = standard_deviation(&[0.612, 0.634, 0.598]).unwrap();
        assert!((found.mean - 0.6146666666666666).abs() < 1e-15);
        assert!((sd - 0.018147543451754948).abs() < 1e-15);
        assert!((found.half_width.unwrap() - 0.04508099706413222).abs() < 1e-13);
        assert_eq!(found.n, 3);
    }

    #[test]
    fn few_values_have_no_interval_and_none_has_no_mean() {
        let one = Estimate::of(&[0.5]).unwrap();
        assert_eq!((one.mean, one.half_width, one.n), (0.5, None, 1));
        assert_eq!(Estimate::of(&[0.5, 0.6]).unwrap().half_width, None);
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(standard_deviation(&[0.5]), None);
    }

    proptest! {
        #[test]
        fn shifting_moves_the_mean_and_keeps_the_interval(
            values in prop::collection::vec(0.0..1.0f64, 3..12),
            shift in -1.0..1.0f64,
        ) {
            let here = Estimate::of(&values).unwrap();
            let moved: Vec<f64> = values.iter().map(|x| x + shift).collect();
            let there = Estimate::of(&moved).unwrap();
            prop_assert!((there.mean - here.mean - shift).abs() < 1e-12);
            prop_assert!((there.half_width.unwrap() - here.half_width.unwrap()).abs() < 1e-10);
        }
    }
}
