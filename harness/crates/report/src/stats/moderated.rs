//! Variances of many alike comparisons, each moderated by what all of them say (Smyth 2004,
//! Statistical Applications in Genetics and Molecular Biology 3:3; limma's `squeezeVar`).
//!
//! Two or three seeds say little about how much seeds scatter; seventy cells of three seeds
//! say a lot. The variances are taken to come from a scaled inverse chi-squared
//! distribution, whose scale and degrees of freedom are fitted to the moments of their
//! logarithms.

use crate::stats::gamma::{digamma, inverse_trigamma, trigamma};

/// A variance as a sample gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleVariance {
    pub value: f64,
    /// Degrees of freedom behind it.
    pub freedom: f64,
}

/// What many variances have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariancePrior {
    /// The typical variance.
    pub variance: f64,
    /// How many degrees of freedom it is worth; infinite where the variances differ no more
    /// than chance makes them.
    pub freedom: f64,
    /// Degrees of freedom of all samples together: what is known cannot exceed it.
    pub pooled: f64,
}

impl VariancePrior {
    /// Fits a prior to the variances of alike comparisons; `None` below three of them and where
    /// at least half are 0, which leaves nothing to fit.
    pub fn fit(samples: &[SampleVariance]) -> Option<Self> {
        let usable: Vec<SampleVariance> = samples
            .iter()
            .copied()
            .filter(|one| one.freedom > 0.0 && one.value.is_finite())
            .collect();
        let mut sorted: Vec<f64> = usable.iter().map(|one| one.value).collect();
        sorted.sort_by(f64::total_cmp);
        let median = *sorted.get(sorted.len() / 2)?;
        if usable.len() < 3 || median <= 0.0 {
            return None;
        }
        let count = usable.len() as f64;
        // A variance of exactly 0 has no logarithm; limma's floor.
        let logarithms: Vec<f64> = usable
            .iter()
            .map(|one| {
                let half = one.freedom / 2.0;
                one.value.max(1e-5 * median).ln() - digamma(half) + half.ln()
            })
            .collect();
        let centre = logarithms.iter().sum::<f64>() / count;
        let scatter: f64 = logarithms.iter().map(|x| (x - centre).powi(2)).sum();
        let by_chance: f64 = usable.iter().map(|one| trigamma(one.freedom / 2.0)).sum();
        let excess = scatter / (count - 1.0) - by_chance / count;
        let pooled = usable.iter().map(|one| one.freedom).sum();
        if excess <= 0.0 {
            return Some(Self {
                variance: usable.iter().map(|one| one.value).sum::<f64>() / count,
                freedom: f64::INFINITY,
                pooled,
            });
        }
        let half = inverse_trigamma(excess);
        Some(Self {
            variance: (centre + digamma(half) - half.ln()).exp(),
            freedom: 2.0 * half,
            pooled,
        })
    }

    /// The sample's variance and the prior's, weighted by their degrees of freedom.
    #[must_use]
    pub fn moderate(&self, sample: SampleVariance) -> SampleVariance {
        if self.freedom.is_infinite() {
            return SampleVariance {
                value: self.variance,
                freedom: self.pooled,
            };
        }
        let freedom = self.freedom + sample.freedom;
        SampleVariance {
            value: (self.freedom * self.variance + sample.freedom * sample.value) / freedom,
            freedom: freedom.min(self.pooled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[(f64, f64)]) -> Vec<SampleVariance> {
        let all = values.iter();
        all.map(|(value, freedom)| SampleVariance {
            value: *value,
            freedom: *freedom,
        })
        .collect()
    }

    // The moments of the logarithms with NumPy, the degrees of freedom by SciPy's brentq.
    #[test]
    fn agrees_with_an_independent_fit() {
        let all = samples(&[
            (4e-4, 2.0),
            (1e-4, 2.0),
            (9e-4, 2.0),
            (2.5e-5, 2.0),
            (1.6e-3, 2.0),
            (3e-4, 1.0),
            (4e-6, 4.0),
        ]);
        let prior = VariancePrior::fit(&all).unwrap();
        assert!((prior.variance / 0.0001123626826567791 - 1.0).abs() < 1e-9);
        assert!((prior.freedom / 1.320491934626171 - 1.0).abs() < 1e-9);
        let first = prior.moderate(all[0]);
        assert!((first.value / 0.000285612504072535 - 1.0).abs() < 1e-9);
        assert!((first.freedom - 3.3204919346261708).abs() < 1e-9);
        let last = prior.moderate(all[6]);
        assert!((last.value / 3.0894514684155056e-05 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn variances_that_agree_are_pooled() {
        let all = samples(&[(2e-4, 2.0), (2.2e-4, 2.0), (1.9e-4, 2.0), (2.1e-4, 2.0)]);
        let prior = VariancePrior::fit(&all).unwrap();
        let one = prior.moderate(all[0]);
        assert!((one.value - 2.05e-4).abs() < 1e-12);
        assert_eq!(one.freedom, 8.0);
    }

    #[test]
    fn too_little_has_no_prior() {
        assert_eq!(VariancePrior::fit(&[]), None);
        assert_eq!(VariancePrior::fit(&samples(&[(1e-4, 2.0); 2])), None);
        assert_eq!(VariancePrior::fit(&samples(&[(0.0, 2.0); 5])), None);
    }
}
