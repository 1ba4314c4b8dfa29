//! Axes: from values to places, with round ticks.

use super::{Anchor, Canvas, Side};
use crate::error::FigureError;

/// How values are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Of values above 0.
    Logarithmic,
}

/// Where an axis runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Along the bottom, with grid lines upwards.
    Right,
    /// Along the left, with grid lines to the right.
    Up,
}

/// An axis over a frame.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    scale: Scale,
    direction: Direction,
    /// Lowest and highest value.
    range: (f64, f64),
    /// Places of the lowest and highest value, in points.
    ends: (f64, f64),
}

impl Axis {
    /// From the left to the right, or from the bottom to the top, of places.
    pub(crate) fn new(
        direction: Direction,
        scale: Scale,
        range: (f64, f64),
        ends: (f64, f64),
    ) -> Self {
        Self {
            scale,
            direction,
            range,
            ends,
        }
    }

    /// The range of values with some room on both sides; of one value, around it.
    pub(crate) fn room(values: impl Iterator<Item = f64>, scale: Scale) -> (f64, f64) {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        match scale {
            _ if low > high => (0.0, 1.0),
            Scale::Logarithmic => (low / 1.2, high * 1.2),
            Scale::Linear => {
                let room = (0.06 * (high - low)).max(0.5e-2 * high.abs()).max(1e-9);
                (low - room, high + room)
            }
        }
    }

    /// Where a value is, in points.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let ((low, high), (start, end)) = (self.range, self.ends);
        let share = match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Logarithmic => (value / low).ln() / (high / low).ln(),
        };
        start + share.clamp(0.0, 1.0) * (end - start)
    }

    /// Round values within the range, with their texts.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let (low, high) = self.range;
        match self.scale {
            Scale::Linear => {
                let room = (self.ends.1 - self.ends.0).abs();
                let step = round_step((high - low) / (room / 34.0).clamp(2.0, 8.0));
                let digits = (-step.log10().floor()).max(0.0) as usize;
                let first = (low / step).ceil() as i64;
                let last = (high / step).floor() as i64;
                let value = |n: i64| n as f64 * step;
                (first..=last)
                    .map(|n| (value(n), format!("{:.digits$}", value(n))))
                    .collect()
            }
            Scale::Logarithmic => {
                let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
                let decades = (first..=last).map(|n| 10_f64.powi(n));
                let dense = (high / low).log10() < 2.5;
                let steps: &[f64] = if dense { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let all = decades.flat_map(|decade| steps.iter().map(move |step| step * decade));
                all.filter(|value| (low..=high).contains(value))
                    .map(|value| (value, short(value)))
                    .collect()
            }
        }
    }

    /// Draws grid lines across a frame, the ticks and the axis's name.
    pub(crate) fn draw(
        &self,
        canvas: &Canvas<'_>,
        across: (f64, f64),
        name: &str,
    ) -> Result<(), FigureError> {
        let style = canvas.style;
        let size = style.letters() - 1.0;
        let ticks = self.ticks();
        let widest = ticks
            .iter()
            .map(|(_, text)| super::width(text, size))
            .fold(0.0, f64::max);
        for (value, text) in &ticks {
            let at = self.at(*value);
            match self.direction {
                Direction::Right => {
                    canvas.line(&[(at, across.0), (at, across.1)], style.grid(), 0.5)?;
                    let place = (at, across.1 + 0.8 * size);
                    canvas.text(text, place, size, style.pale(), Anchor::Middle)?;
                }
                Direction::Up => {
                    canvas.line(&[(across.0, at), (across.1, at)], style.grid(), 0.5)?;
                    let place = (across.0 - 3.0, at);
                    canvas.text(text, place, size, style.pale(), Anchor::Right)?;
                }
            }
        }
        let middle = (self.ends.0 + self.ends.1) / 2.0;
        match self.direction {
            Direction::Right => {
                let place = (middle, across.1 + 2.2 * size);
                canvas.text(name, place, size, style.ink(), Anchor::Middle)
            }
            Direction::Up => {
                let place = (across.0 - widest - 3.0 - size, middle);
                canvas.turned(
                    name,
                    place,
                    size,
                    style.ink(),
                    Anchor::Middle,
                    Side::Upwards,
                )
            }
        }
    }

    /// Room that the texts of an axis to the top need on its left, in points.
    pub(crate) fn margin(range: (f64, f64), scale: Scale, height: f64, letters: f64) -> f64 {
        let axis = Self::new(Direction::Up, scale, range, (height, 0.0));
        let texts = axis.ticks().into_iter();
        let widest = texts.map(|(_, text)| super::width(&text, letters - 1.0));
        widest.fold(0.0, f64::max) + 2.0 * letters + 3.0
    }
}

/// 1, 2 or 5 times a power of ten, at least as large.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power);
    let mut large = found.filter(|one| *one >= step * (1.0 - 1e-9));
    large.next().unwrap_or(10.0 * power)
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1.0 => format!("{value:.0}"),
        _ => {
            let digits = (-value.log10().floor()) as usize;
            format!("{value:.digits$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale, range: (f64, f64)) -> Vec<String> {
        let axis = Axis::new(Direction::Right, scale, range, (0.0, 200.0));
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(texts(Scale::Linear, (41.0, 79.0)), ["50", "60", "70"]);
        let fine = texts(Scale::Linear, (0.12, 0.2));
        assert_eq!(fine, ["0.12", "0.14", "0.16", "0.18", "0.20"]);
        let decades = texts(Scale::Logarithmic, (0.008, 1100.0));
        assert_eq!(decades, ["0.01", "0.1", "1", "10", "100", "1000"]);
        assert_eq!(texts(Scale::Logarithmic, (0.4, 2.5)), ["0.5", "1", "2"]);
    }

    #[test]
    fn values_run_from_one_end_to_the_other() {
        let axis = Axis::new(Direction::Up, Scale::Linear, (0.0, 10.0), (100.0, 20.0));
        assert_eq!(
            [0.0, 5.0, 10.0, 99.0].map(|v| axis.at(v)),
            [100.0, 60.0, 20.0, 20.0]
        );
        assert_eq!(Axis::room([3.0].into_iter(), Scale::Linear).0, 3.0 - 0.015);
        assert_eq!(Axis::room(std::iter::empty(), Scale::Linear), (0.0, 1.0));
    }
}
