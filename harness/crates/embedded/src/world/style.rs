//! How a picture is rendered, independent of what it shows.

use rand::Rng;

/// The manner of a picture. Every style but `Photo` is rare in pre-training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Photo,
    /// Only the contour of each shape is drawn.
    Outline,
    /// Every channel is inverted.
    Negative,
    Noisy,
    Blurred,
    Grey,
}

impl Style {
    pub(crate) const ALL: [Self; 6] = [
        Self::Photo,
        Self::Outline,
        Self::Negative,
        Self::Noisy,
        Self::Blurred,
        Self::Grey,
    ];

    /// Two thirds photos, the rest evenly.
    pub(crate) fn any(rng: &mut impl Rng) -> Self {
        if rng.random_bool(0.65) {
            Self::Photo
        } else {
            Self::ALL[rng.random_range(1..6)]
        }
    }

    /// Whether the colours of a scene can be read off its picture.
    pub(crate) fn keeps_colour(self) -> bool {
        !matches!(self, Self::Negative | Self::Grey)
    }

    /// Whether the filling of a shape can be seen.
    pub(crate) fn keeps_texture(self) -> bool {
        !matches!(self, Self::Outline | Self::Blurred)
    }
}
