//! A page that shapes and text are drawn on.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::FigureError;
use crate::style::Style;

/// Units of the drawing a point: coordinates of the drawing library are whole numbers.
const UNITS: f64 = 20.0;

/// What the library divides sizes of letters by in an SVG.
const LETTERS: f64 = 1.24;

/// Where text stands from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Left,
    Middle,
    Right,
}

/// How text is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Upright,
    /// From the bottom to the top.
    Upwards,
}

/// A page, in points from its upper left corner.
pub(crate) struct Canvas<'s> {
    area: DrawingArea<SVGBackend<'s>, Shift>,
    pub(crate) style: Style,
}

impl Canvas<'_> {
    /// Draws a page of a size into an SVG.
    pub(crate) fn page(
        (width, height): (f64, f64),
        style: Style,
        draw: impl FnOnce(&Canvas<'_>) -> Result<(), FigureError>,
    ) -> Result<String, FigureError> {
        let mut svg = String::new();
        let size = (units(width) as u32, units(height) as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&style.background())?;
        let canvas = Canvas { area, style };
        draw(&canvas)?;
        canvas.area.present()?;
        drop(canvas);
        // The library writes its units as pixels.
        let pixels = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
        let points = format!("width=\"{width}pt\" height=\"{height}pt\"");
        Ok(svg.replacen(&pixels, &points, 1))
    }

    pub(crate) fn line(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        thickness: f64,
    ) -> Result<(), FigureError> {
        let points: Vec<(i32, i32)> = points.iter().map(|at| place(*at)).collect();
        let style = colour.stroke_width(units(thickness).max(1) as u32);
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    pub(crate) fn rectangle(
        &self,
        corners: [(f64, f64); 2],
        colour: RGBColor,
    ) -> Result<(), FigureError> {
        let corners = corners.map(place);
        Ok(self.area.draw(&Rectangle::new(corners, colour.filled()))?)
    }

    pub(crate) fn polygon(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
    ) -> Result<(), FigureError> {
        let points: Vec<(i32, i32)> = points.iter().map(|at| place(*at)).collect();
        Ok(self.area.draw(&Polygon::new(points, colour.filled()))?)
    }

    /// A full disc, or a ring with the background inside.
    pub(crate) fn disc(
        &self,
        at: (f64, f64),
        radius: f64,
        colour: RGBColor,
        is_full: bool,
    ) -> Result<(), FigureError> {
        let at = place(at);
        self.area
            .draw(&Circle::new(at, units(radius), colour.filled()))?;
        if !is_full {
            let inside = self.style.background().filled();
            let radius = units(radius - 0.9).max(1);
            self.area.draw(&Circle::new(at, radius, inside))?;
        }
        Ok(())
    }

    /// A line of text whose middle is at the height of `at`.
    pub(crate) fn text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        colour: RGBColor,
        anchor: Anchor,
    ) -> Result<(), FigureError> {
        self.turned(text, at, size, colour, anchor, Side::Upright)
    }

    pub(crate) fn turned(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        colour: RGBColor,
        anchor: Anchor,
        side: Side,
    ) -> Result<(), FigureError> {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style = ("sans-serif", units(LETTERS * size))
            .into_font()
            .color(&colour);
        let style = style.pos(Pos::new(horizontal, VPos::Center));
        let style = match side {
            Side::Upright => style,
            Side::Upwards => style.transform(FontTransform::Rotate270),
        };
        self.area.draw_text(text, &style, place(at))?;
        Ok(())
    }
}

fn units(points: f64) -> i32 {
    (points * UNITS).round() as i32
}

fn place((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}
