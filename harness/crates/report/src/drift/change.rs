//! Sums from which changes are computed.

use super::types::{Change, FeatureChange};

/// Sums over pairs of an old and a new number.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangeSum {
    count: u64,
    absolute: f64,
    squares: f64,
    old_squares: f64,
}

impl ChangeSum {
    /// Sums over two lists of the same length; numbers without a partner do not count.
    pub fn of(old: &[f32], new: &[f32]) -> Self {
        let mut sum = Self::default();
        for (old, new) in old.iter().zip(new) {
            let (old, new) = (f64::from(*old), f64::from(*new));
            sum.count += 1;
            sum.absolute += (new - old).abs();
            sum.squares += (new - old) * (new - old);
            sum.old_squares += old * old;
        }
        sum
    }

    /// The sums over both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            absolute: self.absolute + other.absolute,
            squares: self.squares + other.squares,
            old_squares: self.old_squares + other.old_squares,
        }
    }

    /// The change over everything that was summed.
    pub fn change(&self) -> Change {
        Change {
            mean_absolute: self.absolute / self.count.max(1) as f64,
            norm: self.squares.sqrt(),
            relative: (self.old_squares > 0.0).then(|| (self.squares / self.old_squares).sqrt()),
        }
    }
}

impl FeatureChange {
    /// Means over pairs of an old and a new vector; none if there is no pair, or a vector is 0.
    pub fn mean<'a>(pairs: impl IntoIterator<Item = (&'a [f32], &'a [f32])>) -> Option<Self> {
        let mut count = 0_u64;
        let mut total = Self {
            absolute: 0.0,
            relative: 0.0,
            cosine: 0.0,
        };
        for (old, new) in pairs {
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                products.sum()
            };
            let sums = ChangeSum::of(old, new);
            total.absolute += sums.squares.sqrt();
            total.relative += sums.change().relative?;
            let norms = (dot(old, old) * dot(new, new)).sqrt();
            total.cosine += (norms > 0.0).then(|| dot(old, new) / norms)?;
            count += 1;
        }
        (count > 0).then(|| Self {
            absolute: total.absolute / count as f64,
            relative: total.relative / count as f64,
            cosine: total.cosine / count as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_those_computed_by_hand() {
        let sum = ChangeSum::of(&[3.0, 4.0], &[3.0, 1.0]).plus(ChangeSum::of(&[0.0], &[4.0]));
        let change = sum.change();
        assert_eq!(change.mean_absolute, 7.0 / 3.0);
        assert_eq!(change.norm, 5.0);
        assert_eq!(change.relative, Some(1.0));
        assert_eq!(ChangeSum::of(&[0.0], &[1.0]).change().relative, None);
    }

    #[test]
    fn features_are_averaged_over_pairs() {
        let old: [&[f32]; 2] = [&[2.0, 0.0], &[0.0, 5.0]];
        let new: [&[f32]; 2] = [&[0.0, 0.0], &[0.0, 10.0]];
        assert_eq!(FeatureChange::mean(old.into_iter().zip(new)), None);
        let new: [&[f32]; 2] = [&[0.0, 2.0], &[0.0, 10.0]];
        let mean = FeatureChange::mean(old.into_iter().zip(new)).unwrap();
        assert_eq!(mean.absolute, (8f64.sqrt() + 5.0) / 2.0);
        assert_eq!(mean.relative, (2f64.sqrt() + 1.0) / 2.0);
        assert_eq!(mean.cosine, 0.5);
        assert_eq!(FeatureChange::mean([]), None);
    }
}
