//! Title and legend above a figure.

use plotters::style::RGBColor;

use super::{Anchor, Canvas, Mark, cut_to, width, wrapped};
use crate::error::FigureError;
use crate::style::Style;

/// What an entry of the legend shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Mark(Mark),
    Line,
}

/// An entry of the legend.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) colour: RGBColor,
    pub(crate) text: String,
}

/// Title, a line that explains it, and legend.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    title: String,
    note: String,
    entries: Vec<Entry>,
    /// Room in points.
    width: f64,
    style: Style,
}

/// Room of a key beside its text, in letters.
const KEY: f64 = 1.6;
/// Room around everything, in points.
pub(crate) const MARGIN: f64 = 6.0;

impl Heading {
    pub(crate) fn new(
        title: impl Into<String>,
        note: impl Into<String>,
        entries: Vec<Entry>,
        width: f64,
        style: Style,
    ) -> Self {
        Self {
            title: title.into(),
            note: note.into(),
            entries,
            width: width - 2.0 * MARGIN,
            style,
        }
    }

    /// Height in points.
    pub(crate) fn height(&self) -> f64 {
        let letters = self.style.letters();
        let note = 1.4 * self.notes().len() as f64;
        MARGIN + letters * (1.7 + note + 1.5 * self.lines().len() as f64 + 0.6)
    }

    fn notes(&self) -> Vec<String> {
        wrapped(&self.note, self.width, self.style.letters() - 1.0)
    }

    /// Entries of each line of the legend, with the places of their left ends.
    fn lines(&self) -> Vec<Vec<(f64, String, &Entry)>> {
        let size = self.style.letters() - 1.0;
        let mut lines: Vec<Vec<(f64, String, &Entry)>> = Vec::new();
        let mut used = f64::INFINITY;
        for entry in &self.entries {
            let text = cut_to(&entry.text, self.width - KEY * size, size);
            let needed = (KEY + 1.4) * size + width(&text, size);
            if used + needed - 1.4 * size > self.width {
                lines.push(Vec::new());
                used = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push((MARGIN + used, text, entry));
            }
            used += needed;
        }
        lines
    }

    pub(crate) fn draw(&self, canvas: &Canvas<'_>) -> Result<(), FigureError> {
        let style = self.style;
        let (letters, size) = (style.letters(), style.letters() - 1.0);
        let mut y = MARGIN + 0.7 * letters;
        let title = cut_to(&self.title, self.width, letters);
        canvas.text(&title, (MARGIN, y), letters, style.ink(), Anchor::Left)?;
        for note in self.notes() {
            y += 1.4 * letters;
            canvas.text(&note, (MARGIN, y), size, style.pale(), Anchor::Left)?;
        }
        for line in self.lines() {
            y += 1.5 * letters;
            for (x, text, entry) in line {
                let middle = (x + 0.6 * size, y);
                match entry.key {
                    Key::Mark(mark) => mark.draw(canvas, middle, 0.36 * size, entry.colour)?,
                    Key::Line => {
                        let ends = [(x, y), (x + 1.2 * size, y)];
                        canvas.line(&ends, entry.colour, 1.2)?;
                    }
                }
                let at = (x + KEY * size, y);
                canvas.text(&text, at, size, style.ink(), Anchor::Left)?;
            }
        }
        Ok(())
    }
}
