//! What can be said about a picture, each with a fixed number of values.

/// One question about a picture, answered by a value in `0..values()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Attribute {
    Shape,
    Colour,
    Background,
    Texture,
    Count,
    Position,
    Size,
    Style,
    Digit,
}

impl Attribute {
    /// Every attribute, in the order of [`Labels`].
    pub(crate) const ALL: [Self; 9] = [
        Self::Shape,
        Self::Colour,
        Self::Background,
        Self::Texture,
        Self::Count,
        Self::Position,
        Self::Size,
        Self::Style,
        Self::Digit,
    ];

    /// How many values the attribute takes.
    pub(crate) const fn values(self) -> usize {
        match self {
            Self::Shape | Self::Colour | Self::Background => 12,
            Self::Texture | Self::Digit => 10,
            Self::Count | Self::Style => 6,
            Self::Position => 9,
            Self::Size => 3,
        }
    }
}

/// The answers for one picture; `None` where the picture does not show the attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels([Option<u8>; Attribute::ALL.len()]);

impl Labels {
    pub(crate) fn get(&self, attribute: Attribute) -> Option<usize> {
        self.0[attribute as usize].map(usize::from)
    }

    pub(crate) fn set(&mut self, attribute: Attribute, value: usize) {
        debug_assert!(value < attribute.values());
        self.0[attribute as usize] = u8::try_from(value).ok();
    }
}
