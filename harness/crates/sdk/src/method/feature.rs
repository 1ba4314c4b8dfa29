//! What newer hosts offer.

use harness_abi::ABI_MINOR_BASE;

/// Something that a host of the oldest ABI version that the SDK writes does not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// [`Host::image_activations`](crate::Host::image_activations): image features before the
    /// projection, patch tokens. Since ABI 1.2.
    ImageActivations,
    /// [`ScriptPlugin`](crate::script::ScriptPlugin): methods of scripts. Since ABI 1.2.
    Scripts,
}

impl Feature {
    /// The minor ABI version that added it.
    pub const fn since(self) -> u16 {
        match self {
            Self::ImageActivations | Self::Scripts => 2,
        }
    }
}

/// The minor ABI version that methods with these features need.
pub(crate) const fn needed_minor(uses: &[Feature]) -> u16 {
    let mut minor = ABI_MINOR_BASE;
    let mut i = 0;
    while i < uses.len() {
        if uses[i].since() > minor {
            minor = uses[i].since();
        }
        i += 1;
    }
    minor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_version_is_that_of_the_newest_feature() {
        assert_eq!(needed_minor(&[]), ABI_MINOR_BASE);
        assert_eq!(needed_minor(&[Feature::ImageActivations]), 2);
    }
}
