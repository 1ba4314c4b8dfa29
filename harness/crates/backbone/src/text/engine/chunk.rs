//! Nodes of one depth that run through the tower together.

use super::node::{Ancestor, Family, Queries};
use super::source::Source;
use super::trace::Keep;

/// Rows of some nodes, one after the other.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) rows: usize,
    /// Where each row enters from.
    pub(super) sources: Vec<Source>,
    /// The position of each row in its prompt.
    pub(super) positions: Vec<usize>,
    /// Number of each row in the padded batch of the reference path, which decides dropout.
    pub(super) places: Vec<usize>,
    /// Block, row and row of the inputs of each replacement, by block.
    pub(super) replaced: Vec<(usize, usize, usize)>,
    /// Rows of end tokens.
    pub(super) ends: Vec<usize>,
    pub(super) families: Vec<Family>,
    /// Nodes of earlier chunks whose keys and values are read.
    pub(super) ancestors: Vec<Ancestor>,
    /// Whether later chunks read this one's keys and values.
    pub(super) is_read: bool,
}

impl Chunk {
    /// Rows of all ancestors.
    pub(super) fn ancestor_rows(&self) -> usize {
        self.ancestors.iter().map(|a| a.length).sum()
    }

    /// What must be kept of a chunk for others to run.
    pub(super) fn least_kept(&self) -> Keep {
        match self.is_read {
            true => Keep::KeysAndValues,
            false => Keep::Nothing,
        }
    }

    /// Attention weights of one head.
    pub(super) fn scores(&self, queries: Queries) -> usize {
        let of_family = |family: &Family| {
            let (_, count) = queries.of_family(family);
            let own = family.nodes.iter().map(|n| queries.count(n) * n.length);
            count * family.past + own.sum::<usize>()
        };
        self.families.iter().map(of_family).sum()
    }

    /// Most values that the chain of a family takes for all its queries.
    pub(super) fn widest_past(&self) -> usize {
        let sizes = self.families.iter().map(|family| {
            let (_, count) = Queries::All.of_family(family);
            count * family.past
        });
        sizes.max().unwrap_or(0)
    }

    /// Replacements at the input of a block.
    pub(super) fn replaced_at(&self, layer: usize) -> impl Iterator<Item = (usize, usize)> {
        let list = self.replaced.iter().filter(move |(at, ..)| *at == layer);
        list.map(|(_, row, input)| (*row, *input))
    }
}
