//! Prompts as a trie: what several prompts begin with is one node.

use super::source::Sequences;

/// Consecutive positions that share everything before them.
pub(super) struct TrieNode {
    /// Index of the node that comes before; it is smaller than this node's.
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
    /// Position of the first row.
    pub(super) start: usize,
    /// Positions by their index among the distinct ones.
    pub(super) rows: Vec<u32>,
    /// A prompt that runs through the node.
    pub(super) prompt: usize,
    /// Whether prompts end here.
    pub(super) is_end: bool,
}

pub(super) struct Trie {
    pub(super) nodes: Vec<TrieNode>,
    /// The node at which each prompt ends.
    pub(super) ends: Vec<usize>,
}

/// Fewest rows that a node must save. A node of its own depth runs through all blocks by itself,
/// which costs about as much as reading the weights once: ten to twenty rows.
const LEAST_SAVED: usize = 16;

impl Trie {
    pub(super) fn of(sequences: &Sequences) -> Self {
        let rows = &sequences.rows;
        let mut trie = Self {
            nodes: Vec::new(),
            ends: vec![0; rows.len()],
        };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if sequences.sharing {
            order.sort_by(|a, b| rows[*a].cmp(&rows[*b]));
            trie.grow(rows, &order, None, 0);
        } else {
            for prompt in order {
                trie.leaf(rows, &[prompt], None, 0);
            }
        }
        trie
    }

    fn push(
        &mut self,
        rows: &[Vec<u32>],
        prompt: usize,
        parent: Option<usize>,
        start: usize,
        end: usize,
    ) -> usize {
        self.nodes.push(TrieNode {
            parent,
            depth: parent.map_or(0, |p| self.nodes[p].depth + 1),
            start,
            rows: rows[prompt][start..end].to_vec(),
            prompt,
            is_end: end == rows[prompt].len(),
        });
        self.nodes.len() - 1
    }

    /// The rest of equal prompts.
    fn leaf(&mut self, rows: &[Vec<u32>], prompts: &[usize], parent: Option<usize>, start: usize) {
        let end = rows[prompts[0]].len();
        let node = self.push(rows, prompts[0], parent, start, end);
        for prompt in prompts {
            self.ends[*prompt] = node;
        }
    }

    /// Nodes for sorted prompts that are equal before `start`, where their nodes begin.
    fn grow(&mut self, rows: &[Vec<u32>], prompts: &[usize], parent: Option<usize>, start: usize) {
        let (Some(first), Some(last)) = (prompts.first(), prompts.last()) else {
            return;
        };
        let (first, last) = (&rows[*first], &rows[*last]);
        if first == last {
            return self.leaf(rows, prompts, parent, start);
        }
        let common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        let different = 1 + prompts
            .windows(2)
            .filter(|pair| rows[pair[0]] != rows[pair[1]])
            .count();
        let (parent, start) = match (common - start) * (different - 1) >= LEAST_SAVED {
            true => (
                Some(self.push(rows, prompts[0], parent, start, common)),
                common,
            ),
            false => (parent, start),
        };
        // The end token ends every prompt and occurs nowhere else, so no prompt begins another.
        for part in prompts.chunk_by(|a, b| rows[*a][common] == rows[*b][common]) {
            self.grow(rows, part, parent, start);
        }
    }
}
