//! How a terminal wants its text.

use anstyle::{AnsiColor, Effects};

use crate::text::{DOWN, GOOD, LESS, MISSING, UP};

/// What the caller knows of the terminal; nothing is asked of the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour. Nothing is said by colour alone.
    pub colour: bool,
    /// Columns that tables and sentences must fit; `None` for as many as they take.
    /// Commands to copy are never broken.
    pub width: Option<usize>,
}

impl Style {
    /// `text` in bold.
    pub(crate) fn bold(self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let bold = anstyle::Style::new().effects(Effects::BOLD);
        format!("{bold}{text}{bold:#}")
    }

    /// A whole line in the colour of a direction: better, worse or neither.
    pub(crate) fn paint(self, line: &str, direction: i8) -> String {
        let colour = match direction {
            1 => AnsiColor::Green,
            -1 => AnsiColor::Red,
            _ => return line.to_owned(),
        };
        if !self.colour {
            return line.to_owned();
        }
        let style = anstyle::Style::new().fg_color(Some(colour.into()));
        format!("{style}{line}{style:#}")
    }

    /// Colours each glyph of a drawn table together with the rest of its table cell.
    pub(crate) fn paint_table(self, table: &str) -> String {
        if !self.colour {
            return table.to_owned();
        }
        let mut painted = String::with_capacity(table.len());
        for line in table.split_inclusive('\n') {
            for segment in line.split_inclusive(['│', '┆']) {
                paint_segment(segment, &mut painted);
            }
        }
        painted
    }
}

fn paint_segment(segment: &str, painted: &mut String) {
    let colour_of = |glyph: char| match glyph {
        UP | GOOD => Some(AnsiColor::Green),
        DOWN => Some(AnsiColor::Red),
        MISSING | LESS => Some(AnsiColor::Yellow),
        _ => None,
    };
    let found = segment
        .char_indices()
        .find_map(|(at, c)| Some((at, colour_of(c)?)));
    let Some((start, colour)) = found else {
        painted.push_str(segment);
        return;
    };
    let (before, rest) = segment.split_at(start);
    let text = rest.trim_end_matches(['│', '┆', ' ', '\n']);
    let after = &rest[text.len()..];
    let style = anstyle::Style::new().fg_color(Some(colour.into()));
    painted.push_str(&format!("{before}{style}{text}{style:#}{after}"));
}
