//! A plot of lines over named places, as one panel of a figure.

use super::{Anchor, Axis, Canvas, Direction, Mark, Scale, Side, cut_to, width};
use crate::error::FigureError;
use crate::style::Style;

/// Height of the plot in letters.
const PLOT: f64 = 13.0;
/// Longest tick that is turned, in points.
const TURNED: f64 = 70.0;
/// Points between lines at the same place, so that their bars can be told apart.
const APART: f64 = 2.4;

/// A plot of lines over named places.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) ticks: Vec<String>,
    pub(crate) x_name: String,
    pub(crate) y_name: String,
    pub(crate) lines: Vec<Line>,
    /// A value that everything is compared with.
    pub(crate) level: Option<f64>,
}

/// A line of a panel.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Place among the style's colours.
    pub(crate) colour: usize,
    pub(crate) mark: Mark,
    pub(crate) is_joined: bool,
    pub(crate) spots: Vec<Spot>,
}

/// A value at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// Among the ticks.
    pub(crate) tick: usize,
    pub(crate) value: f64,
    /// Half of its interval.
    pub(crate) half_width: Option<f64>,
}

impl Panel {
    /// Height in a panel of a width, in points.
    pub(crate) fn height(&self, wide: f64, style: Style) -> f64 {
        let letters = style.letters();
        (PLOT + 4.6) * letters + self.turned(wide, style).unwrap_or(0.0)
    }

    fn scale(&self) -> Scale {
        let (low, high) = self.ends();
        match low > 0.0 && high / low > 50.0 {
            true => Scale::Logarithmic,
            false => Scale::Linear,
        }
    }

    fn ends(&self) -> (f64, f64) {
        let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
        for value in self.values() {
            ends = (ends.0.min(value), ends.1.max(value));
        }
        ends
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let spots = self.lines.iter().flat_map(|line| &line.spots);
        let ends = spots.flat_map(|spot| {
            let half = spot.half_width.unwrap_or(0.0);
            [spot.value - half, spot.value + half]
        });
        ends.chain(self.level)
    }

    /// Room that ticks need where they do not fit beside each other; none where they do.
    fn turned(&self, wide: f64, style: Style) -> Option<f64> {
        let size = style.letters() - 1.0;
        let widths = self.ticks.iter().map(|tick| width(tick, size));
        let widest = widths.fold(0.0, f64::max);
        let room = 0.85 * wide / self.ticks.len().max(1) as f64;
        (widest > room).then(|| widest.min(TURNED))
    }

    /// Draws it below and to the right of a place.
    pub(crate) fn draw(
        &self,
        canvas: &Canvas<'_>,
        (left, top): (f64, f64),
        wide: f64,
    ) -> Result<(), FigureError> {
        let style = canvas.style;
        let (letters, size) = (style.letters(), style.letters() - 1.0);
        let scale = self.scale();
        let range = Axis::room(self.values(), scale);
        let (above, plot) = (top + 1.6 * letters, PLOT * letters);
        let below = above + plot;
        let start = left + Axis::margin(range, scale, plot, letters);
        let end = left + wide - 8.0;
        let y = Axis::new(Direction::Up, scale, range, (below, above));
        let title = cut_to(&self.title, end - left, size);
        let over = ((start + end) / 2.0, top + 0.6 * letters);
        canvas.text(&title, over, size, style.ink(), Anchor::Middle)?;
        y.draw(canvas, (start, end), &self.y_name)?;
        let step = (end - start) / self.ticks.len().max(1) as f64;
        let x = |tick: usize| start + step * (tick as f64 + 0.5);
        let turned = self.turned(wide, style);
        for (at, tick) in self.ticks.iter().enumerate() {
            let pale = style.pale();
            if let Some(room) = turned {
                let tick = cut_to(tick, room, size);
                let foot = (x(at), below + 3.0);
                canvas.turned(&tick, foot, size, pale, Anchor::Right, Side::Upwards)?;
            } else {
                let place = (x(at), below + 0.8 * size);
                canvas.text(tick, place, size, pale, Anchor::Middle)?;
            }
        }
        let under = below + turned.unwrap_or(0.8 * size) + 1.3 * letters;
        let middle = ((start + end) / 2.0, under);
        canvas.text(&self.x_name, middle, size, style.ink(), Anchor::Middle)?;
        if let Some(level) = self.level {
            let height = y.at(level);
            canvas.line(&[(start, height), (end, height)], style.pale(), 0.8)?;
        }
        let centre = (self.lines.len() as f64 - 1.0) / 2.0;
        for (index, line) in self.lines.iter().enumerate() {
            let colour = style.series(line.colour);
            let aside = (index as f64 - centre) * APART.min(step / 4.0);
            let place = |spot: &Spot| (x(spot.tick) + aside, y.at(spot.value));
            if line.is_joined {
                let places: Vec<(f64, f64)> = line.spots.iter().map(place).collect();
                canvas.line(&places, colour, 1.0)?;
            }
            for spot in &line.spots {
                let (across, height) = place(spot);
                if let Some(half) = spot.half_width {
                    let ends = [spot.value - half, spot.value + half];
                    let ends = ends.map(|end| (across, y.at(end)));
                    canvas.line(&ends, colour, 0.8)?;
                }
                line.mark
                    .draw(canvas, (across, height), 0.28 * letters, colour)?;
            }
        }
        Ok(())
    }
}
