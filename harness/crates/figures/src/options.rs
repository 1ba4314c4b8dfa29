//! What figures look like and what they are written as.

use std::path::Path;

use crate::style::Style;

/// How figures are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub style: Style,
    pub width: Width,
}

/// Width of a figure on a page of two columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 3.35 inches.
    Column,
    /// 7 inches.
    Page,
}

impl Width {
    /// In points.
    pub(crate) fn points(self) -> f64 {
        match self {
            Self::Column => 241.0,
            Self::Page => 504.0,
        }
    }
}

/// A file of a figure, by its ending: a picture, or the numbers behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureFile {
    Picture(Format),
    Numbers,
}

impl FigureFile {
    /// Endings of file names.
    pub const ENDINGS: [&'static str; 4] = ["svg", "pdf", "png", "csv"];

    /// What a path's ending says.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Numbers),
            ending => {
                let mut formats = Format::ALL.into_iter();
                let format = formats.find(|format| format.ending() == ending)?;
                Some(Self::Picture(format))
            }
        }
    }
}

/// A format of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Svg,
    Pdf,
    /// At 300 dots an inch.
    Png,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Svg, Self::Pdf, Self::Png];

    /// Ending of file names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }
}
