//! Laying out segments as one padded sequence of embeddings.

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use super::edits::check_leading;
use super::prompt::{PromptBatch, Segment, TokenRows};
use crate::dims::TextDims;
use crate::error::{BackboneError, Result};

/// Where every position of every prompt comes from.
///
/// All sources form one bank of rows: the distinct tokens, then every context flattened. A prompt is
/// a gather from the bank, and the gradient of a gather reaches every context row it read.
pub(crate) struct Assembly {
    /// Distinct token ids; rows `0..tokens.len()` of the bank.
    pub(crate) tokens: Vec<u32>,
    /// Bank row per position, one list per prompt, groups outermost.
    pub(crate) rows: Vec<Vec<u32>>,
}

impl Assembly {
    /// Lays out a batch; checks shapes, ids, lengths and end tokens.
    pub(crate) fn of(batch: &PromptBatch, dims: &TextDims, end_token: u32) -> Result<Self> {
        if batch.groups == 0 || batch.classes == 0 {
            return Err(BackboneError::Request(format!(
                "prompts: expected at least one group and one class, found {} and {}",
                batch.groups, batch.classes
            )));
        }
        let mut bank = TokenBank::default();
        let parts = batch
            .segments
            .iter()
            .enumerate()
            .map(|(i, segment)| bank.part(i, segment, batch, dims))
            .collect::<Result<Vec<_>>>()?;
        let mut rows = Vec::with_capacity(batch.groups * batch.classes);
        for group in 0..batch.groups {
            for class in 0..batch.classes {
                let mut row = Vec::new();
                for part in &parts {
                    part.append(group, class, bank.ids.len(), &mut row);
                }
                check_row(&row, class, &bank.ids, dims, end_token)?;
                rows.push(row);
            }
        }
        Ok(Self {
            tokens: bank.ids,
            rows,
        })
    }

    /// Position of each prompt's end token.
    pub(crate) fn ends(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.len() - 1).collect()
    }

    /// Gathers `[N, S, D]` from the embedded tokens `[T, D]` and the contexts; S is the longest
    /// prompt, shorter ones are filled with the first row, which no end token can see.
    pub(crate) fn gather(&self, tokens: Tensor, segments: &[Segment]) -> Result<Tensor> {
        let width = tokens.dim(1)?;
        let mut bank = vec![tokens];
        for segment in segments {
            if let Segment::Context(context) = segment {
                bank.push(context.reshape(((), width))?);
            }
        }
        let bank = Tensor::cat(&bank, 0)?.contiguous()?;
        let longest = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let padded = |row: &Vec<u32>| {
            let filler = std::iter::repeat_n(0, longest - row.len());
            row.iter().copied().chain(filler).collect::<Vec<_>>()
        };
        let index: Vec<u32> = self.rows.iter().flat_map(padded).collect();
        let count = index.len();
        let index = Tensor::from_vec(index, count, &Device::Cpu)?;
        Ok(bank
            .index_select(&index, 0)?
            .reshape((self.rows.len(), longest, width))?)
    }
}

/// Distinct token ids in order of first use, and how many context rows precede.
#[derive(Default)]
struct TokenBank {
    ids: Vec<u32>,
    place: HashMap<u32, u32>,
    context_rows: usize,
}

/// A segment with its rows in the bank.
enum Part {
    Shared(Vec<u32>),
    PerClass(Vec<Vec<u32>>),
    /// Rows start at `first` among the contexts; strides are 0 where the context is broadcast.
    Context {
        first: usize,
        length: usize,
        group_stride: usize,
        class_stride: usize,
    },
}

impl TokenBank {
    fn part(
        &mut self,
        index: usize,
        segment: &Segment,
        batch: &PromptBatch,
        dims: &TextDims,
    ) -> Result<Part> {
        match segment {
            Segment::Tokens(TokenRows::Shared(ids)) => {
                Ok(Part::Shared(self.places(index, ids, dims)?))
            }
            Segment::Tokens(TokenRows::PerClass(rows)) => {
                if rows.len() != batch.classes {
                    return Err(BackboneError::Request(format!(
                        "segment {index}: expected tokens for {} classes, found {}",
                        batch.classes,
                        rows.len()
                    )));
                }
                let rows = rows.iter().map(|ids| self.places(index, ids, dims));
                Ok(Part::PerClass(rows.collect::<Result<_>>()?))
            }
            Segment::Context(tensor) => {
                let what = format!("context in segment {index}");
                let length = check_leading(&what, tensor, batch, dims.width)?;
                let (groups, classes) = (tensor.dim(0)?, tensor.dim(1)?);
                let first = self.context_rows;
                self.context_rows += groups * classes * length;
                Ok(Part::Context {
                    first,
                    length,
                    group_stride: if groups == 1 { 0 } else { classes * length },
                    class_stride: if classes == 1 { 0 } else { length },
                })
            }
        }
    }

    fn places(&mut self, index: usize, ids: &[u32], dims: &TextDims) -> Result<Vec<u32>> {
        ids.iter()
            .map(|&id| {
                if id as usize >= dims.vocab_size {
                    return Err(BackboneError::Request(format!(
                        "segment {index}: token id {id}, but the vocabulary has {} tokens",
                        dims.vocab_size
                    )));
                }
                let next = self.ids.len() as u32;
                let place = *self.place.entry(id).or_insert(next);
                if place == next {
                    self.ids.push(id);
                }
                Ok(place)
            })
            .collect()
    }
}

impl Part {
    fn append(&self, group: usize, class: usize, tokens: usize, row: &mut Vec<u32>) {
        match self {
            Self::Shared(places) => row.extend(places),
            Self::PerClass(rows) => row.extend(&rows[class]),
            Self::Context {
                first,
                length,
                group_stride,
                class_stride,
            } => {
                let start = tokens + first + group * group_stride + class * class_stride;
                row.extend((start..start + length).map(|r| r as u32));
            }
        }
    }
}

/// A prompt must fit the context and hold exactly one end token, its last.
fn check_row(
    row: &[u32],
    class: usize,
    ids: &[u32],
    dims: &TextDims,
    end_token: u32,
) -> Result<()> {
    let refuse = |reason: String| {
        Err(BackboneError::Request(format!(
            "prompt of class {class}: {reason}"
        )))
    };
    if row.len() > dims.context_length {
        return refuse(format!(
            "{} tokens, but the context holds {}; shorten the name or the context",
            row.len(),
            dims.context_length
        ));
    }
    let is_end = |place: &u32| ids.get(*place as usize) == Some(&end_token);
    match row.iter().position(is_end) {
        Some(at) if at + 1 == row.len() => Ok(()),
        Some(at) => refuse(format!(
            "end token {end_token} at position {at} of {}; expected it at the end only",
            row.len()
        )),
        None => refuse(format!(
            "expected end token {end_token} at the end, found none"
        )),
    }
}
