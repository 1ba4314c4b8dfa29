//! Panels beside and below each other under one heading.

use super::{Canvas, Heading, MARGIN, Panel};
use crate::error::FigureError;
use crate::options::Options;

/// Narrowest panel in letters.
const NARROWEST: f64 = 21.0;

/// Draws panels, as many in a row as there is room for, at most `columns`.
pub(crate) fn grid(
    heading: &Heading,
    panels: &[Panel],
    columns: usize,
    options: Options,
) -> Result<String, FigureError> {
    let (page, style) = (options.width.points(), options.style);
    let room = ((page - MARGIN) / (NARROWEST * style.letters())).floor();
    let columns = columns.min(room as usize).clamp(1, panels.len().max(1));
    let wide = (page - MARGIN) / columns as f64;
    let heights: Vec<f64> = panels
        .chunks(columns)
        .map(|row| {
            let heights = row.iter().map(|panel| panel.height(wide, style));
            heights.fold(0.0, f64::max)
        })
        .collect();
    let height = heading.height() + heights.iter().sum::<f64>() + MARGIN;
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        let mut top = heading.height();
        for (row, height) in panels.chunks(columns).zip(&heights) {
            for (at, panel) in row.iter().enumerate() {
                panel.draw(canvas, (MARGIN + wide * at as f64, top), wide)?;
            }
            top += height;
        }
        Ok(())
    })
}
