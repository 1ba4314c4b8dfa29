//! Marks of points, which differ in shape as well as in colour.

use plotters::style::RGBColor;

use super::Canvas;
use crate::error::FigureError;

/// Shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Disc,
    Ring,
    Diamond,
    Square,
    Triangle,
}

impl Mark {
    /// For a series by its place: with the seven colours they repeat after 35.
    pub(crate) fn of(index: usize) -> Self {
        const SHAPES: [Mark; 5] = [
            Mark::Disc,
            Mark::Square,
            Mark::Diamond,
            Mark::Triangle,
            Mark::Ring,
        ];
        SHAPES[(index / 7) % SHAPES.len()]
    }

    /// Draws it around a place, in points.
    pub(crate) fn draw(
        self,
        canvas: &Canvas<'_>,
        (x, y): (f64, f64),
        radius: f64,
        colour: RGBColor,
    ) -> Result<(), FigureError> {
        match self {
            Self::Disc => canvas.disc((x, y), radius, colour, true),
            Self::Ring => canvas.disc((x, y), radius, colour, false),
            Self::Square => {
                let half = 0.9 * radius;
                canvas.rectangle([(x - half, y - half), (x + half, y + half)], colour)
            }
            Self::Diamond => {
                let half = 1.25 * radius;
                let points = [(x, y - half), (x + half, y), (x, y + half), (x - half, y)];
                canvas.polygon(&points, colour)
            }
            Self::Triangle => {
                let half = 1.15 * radius;
                let points = [(x, y - half), (x + half, y + half), (x - half, y + half)];
                canvas.polygon(&points, colour)
            }
        }
    }
}
