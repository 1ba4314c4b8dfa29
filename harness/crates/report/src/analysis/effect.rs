//! A measured quantity with its interval, and the claims that a margin makes of it.

use serde::Serialize;

use crate::stats::{Contrast, Crossed, Interval, LEVEL, VarianceParts, VariancePrior};

/// A difference, its mean over seeds and images. Fractions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    pub value: f64,
    /// 95 %: images and seeds as crossed sources of error; of one seed, images alone.
    pub interval: Interval,
    /// The parts of the variance at the value.
    #[serde(skip)]
    pub(crate) parts: VarianceParts,
}

impl Effect {
    pub(super) fn of(measured: &impl Crossed, prior: Option<&VariancePrior>) -> Self {
        let means = measured.seed_means();
        let value = means.iter().sum::<f64>() / means.len() as f64;
        // A score variance has a hole at its own value; beside it, it is what it is there.
        let beside = if value > 0.0 {
            value - 1e-6
        } else {
            value + 1e-6
        };
        Self {
            value,
            interval: measured.interval(LEVEL, prior),
            parts: measured.variance_parts(beside, prior),
        }
    }
}

/// A share of a gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    pub value: f64,
    /// Fieller's interval at 95 %; `None` where it has no end.
    pub interval: Option<Interval>,
}

impl Ratio {
    /// The first difference of `contrast` over the second, whose effect is `denominator`:
    /// `None` where that is not shown to be above 0.
    pub(super) fn of(
        contrast: &Contrast,
        denominator: &Effect,
        priors: Option<(&VariancePrior, &VariancePrior)>,
    ) -> Option<Self> {
        (denominator.interval.low > 0.0).then(|| Self {
            value: contrast.ratio(),
            interval: contrast.ratio_interval(LEVEL, priors),
        })
    }
}
