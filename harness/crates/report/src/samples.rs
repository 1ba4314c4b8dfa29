//! Predictions image by image, and what changed from the source to the target.

use std::collections::BTreeMap;

use crate::seeds::Seeds;
use crate::upgrade::Upgrade;

/// The predictions of a cell.
#[derive(Clone, Debug)]
pub struct CellPredictions<'a> {
    /// Label of the method.
    pub method: &'a str,
    /// Name of the data set.
    pub dataset: &'a str,
    pub upgrade: Upgrade,
    pub shots: u32,
    pub seed: Seeds,
    /// True class of each test image.
    pub labels: &'a [u32],
    /// Under Z(s), Base, Z(t), New and A(t→t); `None` where not measured.
    pub conditions: [Option<Predictions<'a>>; 5],
}

/// What one condition predicts, image by image.
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    /// Class of each image.
    pub classes: &'a [u32],
    /// Softmax probability of each predicted class.
    pub confidences: &'a [f32],
    /// Softmax probability of each true class.
    pub of_truth: &'a [f32],
}

/// Why an image is worth looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Right in Base, wrong in New, right in the target's zero-shot.
    ByModule,
    /// Right in Base, wrong in New and in the target's zero-shot, right once retrained.
    ByRetraining,
    /// Right in Base, wrong in New, in the target's zero-shot and once retrained.
    ByBackbone,
    /// Right in Base, wrong in New and in the target's zero-shot; nothing was retrained.
    Unattributed,
    /// Wrong in the target's zero-shot, right in New.
    Fixed,
    /// Wrong in Base, right in New, and in the target's zero-shot as well.
    Won,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::ByModule,
        Self::ByRetraining,
        Self::ByBackbone,
        Self::Unattributed,
        Self::Fixed,
        Self::Won,
    ];

    /// Whether the image was right before and is wrong now.
    pub fn is_negative_flip(self) -> bool {
        !matches!(self, Self::Fixed | Self::Won)
    }
}

/// How often one class was taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// True class.
    pub label: u32,
    pub prediction: u32,
    /// Images, in the order of [`CellPredictions::conditions`]; `None` where not measured.
    pub images: [Option<usize>; 5],
}

impl CellPredictions<'_> {
    fn is_right(&self, condition: usize, image: usize) -> Option<bool> {
        let predicted = self.conditions[condition]?.classes.get(image)?;
        Some(predicted == self.labels.get(image)?)
    }

    /// What kind of change the image is; `None` of one that is none, or where Base, New or Z(t) is
    /// missing. An image that the module fixes is that, whatever Base was.
    pub fn kind(&self, image: usize) -> Option<Kind> {
        let [_, base, zero, new, _] = [0, 1, 2, 3, 4].map(|one| self.is_right(one, image));
        Some(match (base?, zero?, new?) {
            (true, true, false) => Kind::ByModule,
            (true, false, false) => match self.is_right(4, image) {
                Some(true) => Kind::ByRetraining,
                Some(false) => Kind::ByBackbone,
                None => Kind::Unattributed,
            },
            (_, false, true) => Kind::Fixed,
            (false, true, true) => Kind::Won,
            _ => return None,
        })
    }

    /// Images of each kind that there is, New's most confident first.
    pub fn kinds(&self) -> Vec<(Kind, Vec<usize>)> {
        let mut found: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        for image in 0..self.labels.len() {
            if let Some(kind) = self.kind(image) {
                found.entry(kind).or_default().push(image);
            }
        }
        let confidence = |image: &usize| {
            let new = self.conditions[3].and_then(|new| new.confidences.get(*image).copied());
            new.unwrap_or(0.0)
        };
        for images in found.values_mut() {
            images.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)).then(a.cmp(b)));
        }
        found.into_iter().collect()
    }

    /// The classes that are taken for others, most frequent in New first, then in Base.
    pub fn confusions(&self) -> Vec<Confusion> {
        let mut found: BTreeMap<(u32, u32), [usize; 5]> = BTreeMap::new();
        for (at, condition) in self.conditions.iter().enumerate() {
            let classes = condition.map_or(&[][..], |of| of.classes);
            for (label, prediction) in self.labels.iter().zip(classes) {
                if label != prediction {
                    found.entry((*label, *prediction)).or_default()[at] += 1;
                }
            }
        }
        let measured = |images: [usize; 5]| {
            let mut at = 0..5;
            images.map(|count| {
                let is_measured = at.next().is_some_and(|at| self.conditions[at].is_some());
                is_measured.then_some(count)
            })
        };
        let confusions = found.into_iter();
        let confusions = confusions.map(|((label, prediction), images)| Confusion {
            label,
            prediction,
            images: measured(images),
        });
        let mut confusions: Vec<Confusion> = confusions.collect();
        confusions.sort_by_key(|one| std::cmp::Reverse((one.images[3], one.images[1])));
        confusions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell<'a>(labels: &'a [u32], classes: [Option<&'a [u32]>; 5]) -> CellPredictions<'a> {
        const CONFIDENCES: [f32; 6] = [0.5, 0.9, 0.7, 0.6, 0.8, 0.4];
        CellPredictions {
            method: "m",
            dataset: "d",
            upgrade: Upgrade {
                source: "s".to_owned(),
                target: "t".to_owned(),
            },
            shots: 1,
            seed: Seeds::from(1),
            labels,
            conditions: classes.map(|classes| {
                Some(Predictions {
                    classes: classes?,
                    confidences: &CONFIDENCES,
                    of_truth: &CONFIDENCES,
                })
            }),
        }
    }

    #[test]
    fn an_image_is_of_the_kind_that_the_five_conditions_make_it() {
        let labels = [0, 0, 0, 0, 0, 0];
        let (base, zero, new) = ([0, 0, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]);
        let oracle = [0, 0, 1, 0, 0, 0];
        let measured = cell(
            &labels,
            [None, Some(&base), Some(&zero), Some(&new), Some(&oracle)],
        );
        assert_eq!(
            measured.kinds(),
            [
                (Kind::ByModule, vec![4, 0]),
                (Kind::ByRetraining, vec![1]),
                (Kind::ByBackbone, vec![2]),
                (Kind::Fixed, vec![3]),
                (Kind::Won, vec![5]),
            ]
        );
        let unknown = cell(&labels, [None, Some(&base), Some(&zero), Some(&new), None]);
        assert_eq!(unknown.kind(1), Some(Kind::Unattributed));
        let nothing = cell(&labels, [None, None, Some(&zero), Some(&new), None]);
        assert!(nothing.kinds().is_empty());
    }

    #[test]
    fn confusions_are_counted_under_every_condition() {
        let labels = [0, 0, 1, 1];
        let (base, new) = ([0, 1, 1, 0], [1, 1, 0, 1]);
        let found = cell(&labels, [None, Some(&base), None, Some(&new), None]).confusions();
        let counts: Vec<_> = found
            .iter()
            .map(|one| (one.label, one.prediction, one.images[1], one.images[3]))
            .collect();
        assert_eq!(counts, [(0, 1, Some(1), Some(2)), (1, 0, Some(1), Some(1))]);
        assert_eq!(found[0].images[0], None);
    }
}
