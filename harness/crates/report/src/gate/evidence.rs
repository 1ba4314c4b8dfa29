//! What the claims of a gate rest on.

/// Standard deviation, a fraction, of one seed's difference of New between two trainings, where a
/// report has a single seed: that of quickstart's 35 cells over 20 seeds, 1.68 points for each
/// of the two.
pub const BORROWED_DEVIATION: f64 = 0.024;

/// What is behind a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Several seeds: their scatter counts.
    Seeds,
    /// One seed, and the very same module file: only the images count.
    SameModule,
    /// One seed and modules trained again: what another training would give is not measured, and
    /// its variance is [`BORROWED_DEVIATION`].
    OneSeed,
}

impl Evidence {
    /// Whether more seeds could change the claim.
    pub fn is_provisional(self) -> bool {
        self == Self::OneSeed
    }
}
