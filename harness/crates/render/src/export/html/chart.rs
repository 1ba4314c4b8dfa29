//! Axes and labels of the charts.

use serde::Serialize;

/// A range of percents with the marks that divide it.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) marks: Vec<f64>,
}

impl Axis {
    /// Around `values`, in percent, with whole marks and room at both ends.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold((100.0f64, 0.0f64), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        let (low, high) = if low > high {
            (0.0, 100.0)
        } else {
            (low, high)
        };
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 25.0];
        let width = (high - low).max(2.0);
        let step = steps
            .into_iter()
            .find(|step| width / step <= 6.0)
            .unwrap_or(25.0);
        let low = ((low - width * 0.06) / step).floor().max(0.0) * step;
        let high = (((high + width * 0.06) / step).ceil() * step)
            .min(100.0)
            .max(low + step);
        let count = ((high - low) / step).round() as usize;
        Self {
            low,
            high,
            marks: (0..=count).map(|n| low + step * n as f64).collect(),
        }
    }

    /// Where `value` lies, 0 at the low end and 1 at the high one.
    pub(super) fn at(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// A box that a label takes, by its centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Position {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Half of the height of a label.
const HEIGHT: f64 = 6.0;
/// Half of the width of a label that is a number.
pub(super) const NUMBER: f64 = 8.0;
/// Half of the size of a point.
const POINT: f64 = 4.0;

/// A place beside each point for its label, of which half the width is given: the first that lies
/// between `left` and `right` and covers neither another label nor another point, or the first that
/// lies between them.
pub(super) fn labels(points: &[(Position, f64)], (left, right): (f64, f64)) -> Vec<Position> {
    let mut taken: Vec<(Position, f64)> = Vec::new();
    for (point, half) in points {
        // By how many widths and heights, and by how much more.
        let around = [
            (1.0, 3.0, 0.0),
            (-1.0, -3.0, 0.0),
            (0.0, 0.0, -11.0),
            (0.0, 0.0, 11.0),
            (1.0, 2.0, -9.0),
            (-1.0, -2.0, -9.0),
            (1.0, 2.0, 9.0),
            (-1.0, -2.0, 9.0),
            (1.0, 12.0, -4.0),
            (-1.0, -12.0, -4.0),
            (1.0, 12.0, 8.0),
            (-1.0, -12.0, 8.0),
            (0.0, 0.0, -22.0),
            (0.0, 0.0, 22.0),
            (1.0, 4.0, -20.0),
            (-1.0, -4.0, -20.0),
            (1.0, 4.0, 20.0),
            (-1.0, -4.0, 20.0),
        ];
        let places: Vec<Position> = around
            .iter()
            .map(|(widths, more, down)| Position {
                x: point.x + widths * half + more,
                y: point.y + down,
            })
            .filter(|place| place.x - half >= left && place.x + half <= right)
            .collect();
        let is_free = |place: &&Position| {
            let covers = |other: &Position, (width, height): (f64, f64)| {
                (place.x - other.x).abs() < half + width
                    && (place.y - other.y).abs() < HEIGHT + height
            };
            !taken
                .iter()
                .any(|(other, width)| covers(other, (*width, HEIGHT)))
                && !points
                    .iter()
                    .any(|(other, _)| other != point && covers(other, (POINT, POINT)))
        };
        let found = places.iter().find(is_free).or(places.first());
        taken.push((found.copied().unwrap_or(*point), *half));
    }
    taken.into_iter().map(|(place, _)| place).collect()
}

/// A coordinate as short as it may be.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_axis_has_whole_marks() {
        let axis = Axis::around([34.94, 48.46, 53.03]);
        assert_eq!(axis.marks, [30.0, 35.0, 40.0, 45.0, 50.0, 55.0]);
        assert!((axis.at(42.5) - 0.5).abs() < 1e-12);
        assert_eq!(Axis::around([]).marks.len(), 6);
    }

    #[test]
    fn labels_of_points_side_by_side_do_not_cover_each_other() {
        let points = [(50.0, 50.0), (58.0, 50.0), (50.0, 57.0)].map(|(x, y)| Position { x, y });
        let found = labels(&points.map(|point| (point, NUMBER)), (0.0, 100.0));
        for (n, a) in found.iter().enumerate() {
            for b in &found[n + 1..] {
                assert!(
                    (a.x - b.x).abs() >= 16.0 || (a.y - b.y).abs() >= 12.0,
                    "{a:?} {b:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn values_lie_inside_their_axis(values in prop::collection::vec(0.0..=100.0f64, 1..20)) {
            let axis = Axis::around(values.iter().copied());
            prop_assert!(axis.marks.len() >= 2 && axis.marks.len() <= 12, "{axis:?}");
            prop_assert!(axis.low >= 0.0 && axis.high <= 102.0);
            for value in values {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&axis.at(value)), "{value} {axis:?}");
            }
        }
    }
}
