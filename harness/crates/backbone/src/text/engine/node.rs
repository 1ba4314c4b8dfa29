//! A node of the trie as its chunk sees it.

/// Rows of one node in a chunk.
#[derive(Clone, Copy)]
pub(super) struct Local {
    /// First row in the chunk.
    pub(super) row: usize,
    pub(super) length: usize,
    /// Index among the chunk's ends, if prompts end with the node's last row.
    pub(super) end: Option<usize>,
}

/// A node that others continue, by its rows in its own chunk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub(super) chunk: usize,
    pub(super) row: usize,
    pub(super) length: usize,
    /// First row in the sum of gradients of all ancestors of a chunk.
    pub(super) base: usize,
}

/// Consecutive nodes of a chunk that continue the same node.
pub(super) struct Family {
    /// Indices among the chunk's ancestors, the root first.
    pub(super) chain: Vec<usize>,
    /// Rows of the chain together.
    pub(super) past: usize,
    pub(super) nodes: Vec<Local>,
}

/// Which rows of a block ask for attention.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Queries {
    All,
    /// The ends alone: nothing else is read after the last block.
    Ends,
}

impl Queries {
    /// Number of a node's queries.
    pub(super) fn count(self, node: &Local) -> usize {
        match self {
            Self::All => node.length,
            Self::Ends => usize::from(node.end.is_some()),
        }
    }

    /// First and number of a family's queries, which are adjacent.
    pub(super) fn of_family(self, family: &Family) -> (usize, usize) {
        let count = family.nodes.iter().map(|node| self.count(node)).sum();
        let first = match self {
            Self::All => family.nodes.first().map(|node| node.row),
            Self::Ends => family.nodes.iter().find_map(|node| node.end),
        };
        (first.unwrap_or(0), count)
    }

    /// Queries of a chunk.
    pub(super) fn of_chunk(self, rows: usize, ends: usize) -> usize {
        match self {
            Self::All => rows,
            Self::Ends => ends,
        }
    }
}
