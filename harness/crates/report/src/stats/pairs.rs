//! Two conditions on the same test images, counted.

use serde::Serialize;

use crate::condition::Condition;

/// The paired table of `new` and `old` over the same images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// Images.
    pub images: u64,
    /// Wrong in `old`, right in `new`: the positive flips.
    pub gained: u64,
    /// Right in `old`, wrong in `new`: the negative flips.
    pub lost: u64,
}

impl Pairs {
    /// `None` when the two are not over the same number of images or over none.
    pub fn of(new: &Condition, old: &Condition) -> Option<Self> {
        if new.total != old.total || new.total == 0 {
            return None;
        }
        let total = usize::try_from(new.total).ok()?;
        let (mut gained, mut lost) = (0, 0);
        let images = new.correct_bitmap.iter(total);
        for (now, before) in images.zip(old.correct_bitmap.iter(total)) {
            gained += u64::from(now && !before);
            lost += u64::from(before && !now);
        }
        Some(Self {
            images: new.total,
            gained,
            lost,
        })
    }

    /// Accuracy of `new` minus accuracy of `old`.
    pub fn difference(&self) -> f64 {
        (self.gained as f64 - self.lost as f64) / self.images as f64
    }

    /// Share of the images on which the two disagree.
    pub fn discordance(&self) -> f64 {
        (self.gained + self.lost) as f64 / self.images as f64
    }

    /// Whether no image changed its side.
    pub fn is_unchanged(&self) -> bool {
        self.gained == 0 && self.lost == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(correct: &[u32]) -> Condition {
        Condition::from_predictions(correct, &vec![1; correct.len()], "", 0.0).unwrap()
    }

    #[test]
    fn counts_both_kinds_of_flips() {
        let old = condition(&[1, 1, 1, 0, 0]);
        let new = condition(&[1, 0, 0, 1, 0]);
        let pairs = Pairs::of(&new, &old).unwrap();
        assert_eq!((pairs.images, pairs.gained, pairs.lost), (5, 1, 2));
        assert!((pairs.difference() + 0.2).abs() < 1e-15);
        assert!((pairs.discordance() - 0.6).abs() < 1e-15);
        assert!(!pairs.is_unchanged());
        assert!(Pairs::of(&old, &old).unwrap().is_unchanged());
        assert_eq!(Pairs::of(&new, &condition(&[1])), None);
    }
}
