//! Where every position of every prompt comes from.

use std::collections::HashMap;

use candle_core::Tensor;

use crate::edits::Replacements;
use crate::error::Result;
use crate::text::assemble::Assembly;
use crate::text::prompt::{PromptBatch, Segment};

/// Origin of a row that enters the tower.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The embedding of a token.
    Token(u32),
    /// A row of the inputs, by its index.
    Input(usize),
}

/// Everything that decides the state of a position but those before it. Equal positions come from
/// the same token or the same row of the same tensor; values are never compared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Position {
    pub(super) source: Source,
    /// Blocks, from 1, at whose input the row is replaced, and the row of the inputs.
    pub(super) replaced: Vec<(usize, usize)>,
}

impl Position {
    /// Whether no input decides what enters block `layer`; a replacement there comes later.
    pub(super) fn is_fixed_before(&self, layer: usize) -> bool {
        matches!(self.source, Source::Token(_)) && self.replaced.iter().all(|(at, _)| *at >= layer)
    }
}

/// Prompts as lists of positions.
pub(crate) struct Sequences {
    /// Distinct positions.
    pub(super) positions: Vec<Position>,
    /// Index of each position of each prompt; the last is the end token.
    pub(super) rows: Vec<Vec<u32>>,
    /// Length of the longest prompt, to which the reference path pads.
    pub(super) padded: usize,
    /// Whether equal positions after equal ones may be computed once.
    pub(super) sharing: bool,
    /// Tensors that the rows come from, each `[.., D]`.
    pub(super) inputs: Vec<Tensor>,
}

impl Sequences {
    /// Index of each position of each prompt; the last is the end token.
    pub(crate) fn rows(&self) -> &[Vec<u32>] {
        &self.rows
    }

    /// Positions of all prompts together.
    pub(crate) fn tokens(&self) -> u64 {
        self.rows.iter().map(|row| row.len() as u64).sum()
    }

    /// Length of the longest prompt.
    pub(crate) fn padded(&self) -> usize {
        self.padded
    }

    /// Whether equal positions after equal ones may be computed once.
    pub(crate) fn shares(&self) -> bool {
        self.sharing
    }

    /// The same sequences, each position of which is computed by itself.
    pub(crate) fn without_sharing(self) -> Self {
        Self {
            sharing: false,
            ..self
        }
    }

    /// Tensors that rows come from, each `[.., D]`.
    pub(crate) fn inputs(&self) -> &[Tensor] {
        &self.inputs
    }

    /// Origin of a position by its index.
    pub(crate) fn source(&self, index: usize) -> Source {
        self.positions[index].source
    }

    /// Blocks at whose input a position is replaced, and the row of the inputs.
    pub(crate) fn replaced(&self, index: usize) -> &[(usize, usize)] {
        &self.positions[index].replaced
    }

    /// The lowest block that gradients of the inputs come from, at most `top`.
    pub(crate) fn lowest_tracked(&self, top: usize) -> usize {
        let mut tracked = Vec::new();
        for tensor in &self.inputs {
            let rows = rows_of(std::slice::from_ref(tensor));
            tracked.extend(std::iter::repeat_n(tensor.track_op(), rows));
        }
        let is_tracked = |input: &usize| tracked.get(*input).is_some_and(|tracked| *tracked);
        let of_position = |position: &Position| {
            let enters = matches!(&position.source, Source::Input(input) if is_tracked(input));
            let replaced = position.replaced.iter().filter(|(_, i)| is_tracked(i));
            let replaced = replaced.map(|(layer, _)| *layer).min().unwrap_or(top);
            if enters { 0 } else { replaced }
        };
        self.positions.iter().map(of_position).min().unwrap_or(top)
    }
}

/// Gives equal positions one index.
#[derive(Default)]
struct Distinct {
    index: HashMap<Position, u32>,
    positions: Vec<Position>,
}

impl Distinct {
    fn index(&mut self, position: Position) -> u32 {
        if let Some(index) = self.index.get(&position) {
            return *index;
        }
        let index = self.positions.len() as u32;
        self.positions.push(position.clone());
        self.index.insert(position, index);
        index
    }
}

/// Prompts of a batch with replacements `[G|1, C|1, n, D]`.
pub(crate) fn sequences_of_batch(
    batch: &PromptBatch,
    assembly: &Assembly,
    replacements: &Replacements,
) -> Result<Sequences> {
    let mut inputs: Vec<Tensor> = Vec::new();
    for segment in &batch.segments {
        if let Segment::Context(context) = segment {
            inputs.push(context.clone());
        }
    }
    let mut next: usize = rows_of(&inputs);
    let mut edits = Vec::new();
    for edit in replacements.list() {
        let (groups, classes) = (edit.tokens.dim(0)?, edit.tokens.dim(1)?);
        let strides = (
            if groups == 1 {
                0
            } else {
                classes * edit.length
            },
            if classes == 1 { 0 } else { edit.length },
        );
        edits.push((edit, next, strides));
        inputs.push(edit.tokens.clone());
        next += groups * classes * edit.length;
    }
    let mut distinct = Distinct::default();
    let tokens = assembly.tokens.len();
    let mut rows = Vec::with_capacity(assembly.rows.len());
    for (prompt, row) in assembly.rows.iter().enumerate() {
        let (group, class) = (prompt / batch.classes, prompt % batch.classes);
        let mut indices = Vec::with_capacity(row.len());
        for (at, &place) in row.iter().enumerate() {
            let place = place as usize;
            let mut position = Position {
                source: match place < tokens {
                    true => Source::Token(assembly.tokens[place]),
                    false => Source::Input(place - tokens),
                },
                replaced: Vec::new(),
            };
            for (edit, first, (by_group, by_class)) in &edits {
                if (edit.start..edit.start + edit.length).contains(&at) {
                    let input = first + group * by_group + class * by_class + (at - edit.start);
                    match edit.layer {
                        0 => position.source = Source::Input(input),
                        layer => position.replaced.push((layer, input)),
                    }
                }
            }
            indices.push(distinct.index(position));
        }
        rows.push(indices);
    }
    Ok(Sequences {
        positions: distinct.positions,
        padded: rows.iter().map(Vec::len).max().unwrap_or(0),
        rows,
        sharing: true,
        inputs,
    })
}

/// Embeddings `[N, S, D]`, each row read at its position in `ends`.
pub(crate) fn sequences_of_embeddings(x: &Tensor, ends: &[usize]) -> Result<Sequences> {
    let length = x.dim(1)?;
    let positions = (0..ends.len() * length)
        .map(|row| Position {
            source: Source::Input(row),
            replaced: Vec::new(),
        })
        .collect();
    let rows = ends.iter().enumerate().map(|(n, end)| {
        let first = n * length;
        (first..=first + end).map(|row| row as u32).collect()
    });
    Ok(Sequences {
        positions,
        rows: rows.collect(),
        padded: length,
        sharing: false,
        inputs: vec![x.clone()],
    })
}

/// Number of rows `[.., D]` of some tensors together.
fn rows_of(tensors: &[Tensor]) -> usize {
    let rows = |t: &Tensor| t.elem_count() / t.dims().last().copied().unwrap_or(1).max(1);
    tensors.iter().map(rows).sum()
}
