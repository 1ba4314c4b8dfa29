//! Causal attention of a chunk: to its own nodes by hand, to what came before by matrix products
//! that serve all nodes after it at once.

use std::ops::Range;

use super::chunk::Chunk;
use super::kernels::{add_scaled, dot, softmax, vectorised};
use super::matrix::{Matrix, Target, add_product, set_product, set_scaled_product};
use super::node::{Family, Local, Queries};

/// Heads of a block, and which rows ask.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub(super) count: usize,
    pub(super) width: usize,
    pub(super) queries: Queries,
}

impl Heads {
    fn dim(self) -> usize {
        self.width / self.count
    }

    fn scale(self) -> f32 {
        1.0 / (self.dim() as f32).sqrt()
    }
}

/// What attention reads.
pub(super) struct Attended<'a> {
    /// Queries and the distance of their rows.
    pub(super) query: (&'a [f32], usize),
    /// Queries, keys and values of the chunk, `[R, 3 D]`.
    pub(super) packed: &'a [f32],
    /// The same of each ancestor, from its first row.
    pub(super) past: &'a [&'a [f32]],
}

/// Gradients of what attention reads.
pub(super) struct AttendedGradients<'a> {
    /// Of the queries; where they are in `packed`, none.
    pub(super) query: Option<&'a mut [f32]>,
    /// Of queries, keys and values of the chunk, `[R, 3 D]`; keys and values are added to.
    pub(super) packed: &'a mut [f32],
    /// Keys and values of all ancestors, `[A, 2 D]`, added to.
    pub(super) past: &'a mut [f32],
    /// Room for the weights of a family's past.
    pub(super) room: &'a mut [f32],
}

/// Where the weights of one head of a family lie.
struct Weights {
    /// `[queries, past]`.
    past: Range<usize>,
    /// Of each node `[queries, length]`, one after the other.
    own: Range<usize>,
}

/// Calls `f(family, head, first query, number of queries, weights)`.
fn each_head(
    chunk: &Chunk,
    heads: Heads,
    mut f: impl FnMut(&Family, usize, usize, usize, &Weights),
) {
    let mut start = 0;
    for family in &chunk.families {
        let (first, count) = heads.queries.of_family(family);
        let own = family
            .nodes
            .iter()
            .map(|node| heads.queries.count(node) * node.length)
            .sum::<usize>();
        for head in 0..heads.count {
            let middle = start + count * family.past;
            let weights = Weights {
                past: start..middle,
                own: middle..middle + own,
            };
            if count > 0 {
                f(family, head, first, count, &weights);
            }
            start = middle + own;
        }
    }
}

/// A node's queries: `f(query, weight range, first key, number of keys it sees)`.
#[inline(always)]
fn each_query(
    nodes: &[Local],
    queries: Queries,
    first: usize,
    mut f: impl FnMut(usize, Range<usize>, usize, usize),
) {
    let (mut query, mut weight) = (first, 0);
    for node in nodes {
        let count = queries.count(node);
        for i in 0..count {
            f(
                query,
                weight..weight + node.length,
                node.row,
                node.length - count + i + 1,
            );
            query += 1;
            weight += node.length;
        }
    }
}

/// Softmax of scaled scores into `weights`, and the mixed values into `mixed`, `[queries, D]`.
pub(super) fn attend(
    chunk: &Chunk,
    heads: Heads,
    from: &Attended<'_>,
    weights: &mut [f32],
    mixed: &mut [f32],
) {
    let (d, wide) = (heads.dim(), heads.width);
    let (query, stride) = from.query;
    each_head(chunk, heads, |family, head, first, count, at| {
        let (q, k, v) = (head * d, wide + head * d, 2 * wide + head * d);
        let queries = Matrix::strided(&query[first * stride + q..], count, d, stride);
        let mut column = at.past.start;
        for ancestor in &family.chain {
            let length = chunk.ancestors[*ancestor].length;
            let keys = Matrix::strided(&from.past[*ancestor][k..], length, d, 3 * wide);
            let target = Target::new(&mut weights[column..at.past.end], family.past);
            set_scaled_product(target, heads.scale(), queries, keys.t());
            column += length;
        }
        let (past, own) = weights[at.past.start..at.own.end].split_at_mut(at.past.len());
        vectorised(
            #[inline(always)]
            || {
                let mut rows = past.chunks_exact_mut(family.past.max(1));
                each_query(
                    &family.nodes,
                    heads.queries,
                    first,
                    |i, range, row, seen| {
                        let (own, hidden) = own[range].split_at_mut(seen);
                        hidden.fill(0.0);
                        let query = &query[i * stride + q..][..d];
                        for (j, weight) in own.iter_mut().enumerate() {
                            let key = &from.packed[(row + j) * 3 * wide + k..][..d];
                            *weight = dot(query, key) * heads.scale();
                        }
                        softmax(rows.next().unwrap_or_default(), own);
                        let mixed = &mut mixed[i * wide + q..][..d];
                        mixed.fill(0.0);
                        for (j, weight) in own.iter().enumerate() {
                            let value = &from.packed[(row + j) * 3 * wide + v..][..d];
                            add_scaled(mixed, *weight, value);
                        }
                    },
                );
            },
        );
        let mut column = at.past.start;
        for ancestor in &family.chain {
            let length = chunk.ancestors[*ancestor].length;
            let values = Matrix::strided(&from.past[*ancestor][v..], length, d, 3 * wide);
            let weights =
                Matrix::strided(&weights[column..at.past.end], count, length, family.past);
            let target = Target::new(&mut mixed[first * wide + q..], wide);
            add_product(target, 1.0, weights, values);
            column += length;
        }
    });
}

/// Gradients of queries, keys and values, given that of the mixed values `[queries, D]`.
pub(super) fn pull_attend(
    chunk: &Chunk,
    heads: Heads,
    from: &Attended<'_>,
    weights: &[f32],
    grad: &[f32],
    to: &mut AttendedGradients<'_>,
) {
    let (d, wide) = (heads.dim(), heads.width);
    let (query, stride) = from.query;
    each_head(chunk, heads, |family, head, first, count, at| {
        let (q, k, v) = (head * d, wide + head * d, 2 * wide + head * d);
        let past = &weights[at.past.clone()];
        let own = &weights[at.own.clone()];
        let grads = Matrix::strided(&grad[first * wide + q..], count, d, wide);
        let room = &mut to.room[..past.len()];
        let mut column = 0;
        for ancestor in &family.chain {
            let length = chunk.ancestors[*ancestor].length;
            let values = Matrix::strided(&from.past[*ancestor][v..], length, d, 3 * wide);
            set_product(
                Target::new(&mut room[column..], family.past),
                grads,
                values.t(),
            );
            column += length;
        }
        vectorised(
            #[inline(always)]
            || {
                let mut past = past
                    .chunks_exact(family.past.max(1))
                    .zip(room.chunks_exact_mut(family.past.max(1)));
                let longest = family.nodes.iter().map(|node| node.length).max();
                let mut slopes = vec![0f32; longest.unwrap_or(0)];
                let mut pulled = vec![0f32; d];
                each_query(
                    &family.nodes,
                    heads.queries,
                    first,
                    |i, range, row, seen| {
                        let own = &own[range][..seen];
                        let slopes = &mut slopes[..seen];
                        let grad = &grad[i * wide + q..][..d];
                        for (j, slope) in slopes.iter_mut().enumerate() {
                            let value = (row + j) * 3 * wide + v;
                            *slope = dot(grad, &from.packed[value..][..d]);
                            add_scaled(&mut to.packed[value..][..d], own[j], grad);
                        }
                        let (weights, room) = past.next().unwrap_or_default();
                        let total = dot(own, slopes) + dot(weights, room);
                        for (slope, weight) in slopes.iter_mut().zip(own) {
                            *slope = weight * (*slope - total) * heads.scale();
                        }
                        for (slope, weight) in room.iter_mut().zip(weights) {
                            *slope = weight * (*slope - total) * heads.scale();
                        }
                        let asked = &query[i * stride + q..][..d];
                        pulled.fill(0.0);
                        for (j, slope) in slopes.iter().enumerate() {
                            let key = (row + j) * 3 * wide + k;
                            add_scaled(&mut pulled, *slope, &from.packed[key..][..d]);
                            add_scaled(&mut to.packed[key..][..d], *slope, asked);
                        }
                        let target = match &mut to.query {
                            Some(query) => &mut query[i * wide + q..][..d],
                            None => &mut to.packed[i * 3 * wide + q..][..d],
                        };
                        target.copy_from_slice(&pulled);
                    },
                );
            },
        );
        let queries = Matrix::strided(&query[first * stride + q..], count, d, stride);
        let mut column = 0;
        for ancestor in &family.chain {
            let ancestor_at = &chunk.ancestors[*ancestor];
            let length = ancestor_at.length;
            let keys = Matrix::strided(&from.past[*ancestor][k..], length, d, 3 * wide);
            let slopes = Matrix::strided(&to.room[column..], count, length, family.past);
            let weights = Matrix::strided(
                &weights[at.past.start + column..],
                count,
                length,
                family.past,
            );
            let target = match &mut to.query {
                Some(query) => Target::new(&mut query[first * wide + q..], wide),
                None => Target::new(&mut to.packed[first * 3 * wide + q..], 3 * wide),
            };
            add_product(target, 1.0, slopes, keys);
            let base = ancestor_at.base * 2 * wide;
            let (key, value) = (base + head * d, base + wide + head * d);
            add_product(
                Target::new(&mut to.past[key..], 2 * wide),
                1.0,
                slopes.t(),
                queries,
            );
            add_product(
                Target::new(&mut to.past[value..], 2 * wide),
                1.0,
                weights.t(),
                grads,
            );
            column += length;
        }
    });
}
