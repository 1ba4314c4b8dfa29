//! What figures look like and what they are written as.

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
