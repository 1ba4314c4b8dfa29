//! Which rows are computed, in which chunks.

use std::ops::Range;

use super::chunk::Chunk;
use super::node::{Ancestor, Family, Local};
use super::source::Sequences;
use super::trie::{Trie, TrieNode};

/// Rows of a chunk, about: enough to fill the matrix kernel, few enough to stay in the cache.
const CHUNK_ROWS: usize = 512;
/// Fewest rows that are split for the sake of more threads.
const SPLIT_ROWS: usize = 128;
/// Chunks of a depth come in multiples of this, so that a few threads get equal shares.
const SHARES: usize = 2;

/// A request laid out.
pub(super) struct Plan {
    /// By depth; a chunk reads the keys and values of earlier ones alone.
    pub(super) chunks: Vec<Chunk>,
    /// Chunks of each depth.
    pub(super) depths: Vec<Range<usize>>,
    /// Chunk and index among its ends, for every prompt.
    pub(super) ends: Vec<(usize, usize)>,
}

/// Where a node was put.
#[derive(Clone, Copy, Default)]
struct Put {
    chunk: usize,
    row: usize,
    end: usize,
}

impl Plan {
    pub(super) fn of(sequences: &Sequences) -> Self {
        let trie = Trie::of(sequences);
        let deepest = trie.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let mut plan = Self {
            chunks: Vec::new(),
            depths: Vec::new(),
            ends: Vec::new(),
        };
        let mut put = vec![Put::default(); trie.nodes.len()];
        for depth in 0..=deepest {
            let nodes = (0..trie.nodes.len()).filter(|i| trie.nodes[*i].depth == depth);
            let nodes: Vec<usize> = nodes.collect();
            let first = plan.chunks.len();
            for part in split(&nodes, &trie.nodes) {
                let number = plan.chunks.len();
                let mut chunk = Chunk::default();
                for &node in part {
                    put[node] = add(&mut chunk, number, node, &trie.nodes, &put, sequences);
                }
                plan.chunks.push(chunk);
            }
            plan.depths.push(first..plan.chunks.len());
        }
        for node in &trie.nodes {
            if let Some(parent) = node.parent {
                plan.chunks[put[parent].chunk].is_read = true;
            }
        }
        let end = |node: &usize| (put[*node].chunk, put[*node].end);
        plan.ends = trie.ends.iter().map(end).collect();
        plan
    }
}

/// Splits nodes into parts of about equal numbers of rows. A function of the rows alone, so that
/// results do not depend on the machine.
fn split<'a>(nodes: &'a [usize], all: &[TrieNode]) -> impl Iterator<Item = &'a [usize]> {
    let total: usize = nodes.iter().map(|i| all[*i].rows.len()).sum();
    let parts = total
        .div_ceil(CHUNK_ROWS)
        .next_multiple_of(SHARES)
        .min(total / SPLIT_ROWS)
        .max(1);
    let mut cuts = vec![0];
    let mut rows = 0;
    for (i, node) in nodes.iter().enumerate() {
        // The end of a part lies where the rows so far come closest to its share.
        let length = all[*node].rows.len();
        let share = cuts.len() * total;
        if i > 0 && (2 * rows + length) * parts > 2 * share && cuts.len() < parts {
            cuts.push(i);
        }
        rows += length;
    }
    cuts.push(nodes.len());
    let pairs: Vec<_> = cuts.windows(2).map(|pair| pair[0]..pair[1]).collect();
    pairs.into_iter().map(|range| &nodes[range])
}

/// Appends a node to a chunk.
fn add(
    chunk: &mut Chunk,
    number: usize,
    index: usize,
    nodes: &[TrieNode],
    put: &[Put],
    sequences: &Sequences,
) -> Put {
    let node = &nodes[index];
    let row = chunk.rows;
    for (i, position) in node.rows.iter().enumerate() {
        let position = &sequences.positions[*position as usize];
        let at = node.start + i;
        chunk.sources.push(position.source);
        chunk.positions.push(at);
        chunk.places.push(node.prompt * sequences.padded + at);
        let replaced = position.replaced.iter();
        chunk
            .replaced
            .extend(replaced.map(|(layer, input)| (*layer, row + i, *input)));
    }
    chunk.rows += node.rows.len();
    let end = node.is_end.then_some(chunk.ends.len());
    if node.is_end {
        chunk.ends.push(chunk.rows - 1);
    }
    let local = Local {
        row,
        length: node.rows.len(),
        end,
    };
    let chain = chain(chunk, node.parent, nodes, put);
    match chunk.families.last_mut() {
        Some(family) if family.chain == chain => family.nodes.push(local),
        _ => chunk.families.push(Family {
            past: chain.iter().map(|a| chunk.ancestors[*a].length).sum(),
            chain,
            nodes: vec![local],
        }),
    }
    Put {
        chunk: number,
        row,
        end: end.unwrap_or(0),
    }
}

/// The ancestors of a node among those of its chunk, the root first.
fn chain(chunk: &mut Chunk, parent: Option<usize>, nodes: &[TrieNode], put: &[Put]) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut next = parent;
    while let Some(node) = next {
        let Put { chunk: at, row, .. } = put[node];
        let known = |a: &Ancestor| (a.chunk, a.row) == (at, row);
        // The ancestors of the node before are the likeliest.
        let found = chunk.ancestors.iter().rposition(known);
        chain.push(found.unwrap_or_else(|| {
            chunk.ancestors.push(Ancestor {
                chunk: at,
                row,
                length: nodes[node].rows.len(),
                base: chunk.ancestor_rows(),
            });
            chunk.ancestors.len() - 1
        }));
        next = nodes[node].parent;
    }
    chain.reverse();
    chain
}
