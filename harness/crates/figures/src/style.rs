//! Colours and sizes of all figures.

use plotters::style::RGBColor;

/// What a figure is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Black on white, 8 points.
    #[default]
    Paper,
    /// Black on white, larger.
    Slide,
    /// White on black, larger.
    Dark,
}

/// Okabe and Ito's colours, which differ for colour-blind readers too.
const LIGHT: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];

impl Style {
    /// Height of letters in points.
    pub(crate) fn letters(self) -> f64 {
        match self {
            Self::Paper => 8.0,
            Self::Slide | Self::Dark => 11.0,
        }
    }

    pub(crate) fn ink(self) -> RGBColor {
        match self {
            Self::Paper | Self::Slide => RGBColor(20, 20, 20),
            Self::Dark => RGBColor(238, 238, 238),
        }
    }

    /// Of text that explains.
    pub(crate) fn pale(self) -> RGBColor {
        match self {
            Self::Paper | Self::Slide => RGBColor(95, 95, 95),
            Self::Dark => RGBColor(175, 175, 175),
        }
    }

    pub(crate) fn grid(self) -> RGBColor {
        match self {
            Self::Paper | Self::Slide => RGBColor(222, 222, 222),
            Self::Dark => RGBColor(64, 64, 64),
        }
    }

    pub(crate) fn background(self) -> RGBColor {
        match self {
            Self::Paper | Self::Slide => RGBColor(255, 255, 255),
            Self::Dark => RGBColor(18, 18, 18),
        }
    }

    /// Of a series, by its place. Colours repeat after seven.
    pub(crate) fn series(self, index: usize) -> RGBColor {
        let colour = LIGHT[index % LIGHT.len()];
        match self {
            Self::Paper | Self::Slide => colour,
            Self::Dark => mix(colour, RGBColor(255, 255, 255), 0.3),
        }
    }

    /// Of a difference between -1 and 1: orange below 0, blue above, the background at 0.
    pub(crate) fn diverging(self, share: f64) -> RGBColor {
        let share = share.clamp(-1.0, 1.0);
        let end = if share < 0.0 { LIGHT[1] } else { LIGHT[0] };
        mix(self.background(), end, 0.75 * share.abs())
    }
}

/// `b` to a share, the rest `a`.
fn mix(a: RGBColor, b: RGBColor, share: f64) -> RGBColor {
    let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}
