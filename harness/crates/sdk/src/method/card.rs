//! What only an author knows of a method, for lists and documentation.

use harness_abi::wire::{DataNeed, Family, Site};

/// What only an author knows of a method, for lists and documentation. What a module holds and its
/// shapes are added from [`parameters`](crate::Method::parameters).
#[derive(Clone, Debug)]
pub struct Card {
    /// Name in a suite: lower case, digits and dashes.
    pub id: &'static str,
    /// One line: name and idea.
    pub title: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// What kind of module it trains.
    pub family: Family,
    /// The deepest site with the default configuration.
    pub depth: &'static str,
    /// All sites with the default configuration.
    pub sites: &'static [Site],
    /// What it reads of the images.
    pub data: DataNeed,
    /// What is recomputed on the target.
    pub recomputed: &'static [&'static str],
    /// Where it differs from the published method or its reference code, and why.
    pub deviations: &'static [&'static str],
}
