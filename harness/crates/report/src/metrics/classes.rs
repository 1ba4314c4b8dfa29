//! The same numbers for each class: which classes pay for the gain of the others.

use serde::Serialize;

use crate::cell::{Cell, Conditions};
use crate::condition::Condition;
use crate::labels::Labels;
use crate::metrics::flips::Flips;
use crate::stats::{Interval, LEVEL, wilson_interval};

/// One class of a data set, summed over the cells given (one a seed).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    /// Index of the class.
    pub class: usize,
    /// Test images of the class.
    pub images: u64,
    /// Accuracy of A(s→s) on them, mean over seeds.
    pub base: f64,
    /// Accuracy of Z(t).
    pub zero_target: f64,
    /// Accuracy of A(s→t), mean over seeds.
    pub new: f64,
    /// 95 % Wilson interval of New on the class's images: sampling alone, as wide as
    /// one seed's, because seeds share their images.
    pub new_interval: Interval,
    /// Flips from Base to New, summed over seeds.
    pub flips: Flips,
}

impl ClassRow {
    /// New - Base.
    pub fn change(&self) -> f64 {
        self.new - self.base
    }
}

/// A row for each class that has test images, in the order of the classes. `cells` are
/// of one method on one data set, one a seed; those without Base, New and Z(t) are left
/// out, and so is everything when none is left or `labels` is not one label an image.
pub fn class_rows<'a>(labels: &Labels, cells: impl IntoIterator<Item = &'a Cell>) -> Vec<ClassRow> {
    let labels = labels.as_slice();
    let measured: Vec<(&Conditions, &Condition)> = cells
        .into_iter()
        .filter_map(|cell| Some((&cell.conditions, cell.conditions.zero_target.as_ref()?)))
        .filter(|(conditions, zero)| {
            zero.total == labels.len() as u64 && Flips::of(conditions).is_some()
        })
        .collect();
    if measured.is_empty() {
        return Vec::new();
    }
    let classes = labels.iter().max().map_or(0, |most| *most as usize + 1);
    let mut images: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (image, class) in labels.iter().enumerate() {
        images[*class as usize].push(image);
    }
    let rows = images.iter().enumerate();
    rows.filter_map(|(class, images)| class_row(class, images, &measured))
        .collect()
}

fn class_row(
    class: usize,
    images: &[usize],
    measured: &[(&Conditions, &Condition)],
) -> Option<ClassRow> {
    let mut flips = Flips::default();
    let mut zero_right = 0;
    for (conditions, zero) in measured {
        flips += Flips::of_images(conditions, images)?;
        let right = images
            .iter()
            .filter(|image| zero.correct_bitmap.get(**image));
        zero_right += right.count() as u64;
    }
    let new_right = flips.both_right + flips.positive;
    let trials = images.len() as u64;
    // The mean number over seeds, for the interval.
    let mean_right = (new_right as f64 / measured.len() as f64).round() as u64;
    Some(ClassRow {
        class,
        images: trials,
        base: flips.rate(flips.both_right + flips.negative)?,
        zero_target: flips.rate(zero_right)?,
        new: flips.rate(new_right)?,
        new_interval: wilson_interval(mean_right, trials, LEVEL)?,
        flips,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    /// 1000 images, the first 400 of class 0, the others of class 2.
    fn labels() -> Labels {
        let classes = (0..fixture::IMAGES).map(|image| if image < 400 { 0 } else { 2 });
        Labels::from(classes.collect::<Vec<u32>>())
    }

    #[test]
    fn each_class_has_its_own_numbers() {
        let report = fixture::report(&["m"], &["a"], &[1, 2], |_, _, seed| {
            // The first so many images are right.
            Ok(([300, 500 + 100 * seed as u32, 450, 480], Some(700)))
        });
        let rows = class_rows(&labels(), &report.cells);
        let classes: Vec<(usize, u64)> = rows.iter().map(|row| (row.class, row.images)).collect();
        assert_eq!(classes, [(0, 400), (2, 600)], "class 1 has no image");
        assert_eq!(
            (rows[0].base, rows[0].new, rows[0].zero_target),
            (1.0, 1.0, 1.0)
        );
        let row = &rows[1];
        // Of images 400 to 999: Base 200 and 300, New 80, Z(t) 50.
        assert!((row.base - 250.0 / 600.0).abs() < 1e-12);
        assert!((row.new - 80.0 / 600.0).abs() < 1e-12);
        assert!((row.zero_target - 50.0 / 600.0).abs() < 1e-12);
        assert!((row.change() + 170.0 / 600.0).abs() < 1e-12);
        assert!(row.new_interval.contains(row.new));
        assert_eq!(row.flips.negative, 120 + 220);
        assert_eq!(row.flips.images, 1200);
    }

    #[test]
    fn labels_of_another_test_set_give_no_rows() {
        let report = fixture::report(&["m"], &["a"], &[1], |_, _, _| {
            Ok(([300, 500, 450, 480], None))
        });
        assert_eq!(class_rows(&Labels::from(vec![0; 3]), &report.cells), []);
        assert_eq!(class_rows(&labels(), &[]), []);
    }

    proptest! {
        #[test]
        fn classes_sum_to_the_data_set(
            base in 0u32..=1000,
            new in 0u32..=1000,
            zero in 0u32..=1000,
            oracle in 0u32..=1000,
        ) {
            let report = fixture::report(&["m"], &["a"], &[1], |_, _, _| {
                Ok(([1, base, zero, new], Some(oracle)))
            });
            let rows = class_rows(&labels(), &report.cells);
            let sum = rows.iter().fold(Flips::default(), |sum, row| sum + row.flips);
            prop_assert_eq!(sum, Flips::of(&report.cells[0].conditions).unwrap());
        }
    }
}
