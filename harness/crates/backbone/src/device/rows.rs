//! Which rows of a request are computed, and in which order.

use candle_core::{Result, Tensor};

use super::accelerator::Accelerator;

/// Rows of sequences of equal length: first what the sequences of each family begin with, once a
/// family, then the rest of each sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowLayout {
    pub(super) families: usize,
    /// Sequences of a family.
    pub(super) prompts: usize,
    /// Rows that the sequences of a family share.
    pub(super) prefix: usize,
    /// Rows of each sequence after the prefix.
    pub(super) length: usize,
}

impl RowLayout {
    pub(super) fn rows(&self) -> usize {
        self.families * (self.prefix + self.prompts * self.length)
    }

    /// The row of a position of a sequence, the sequences counted through.
    pub(super) fn row(&self, sequence: usize, position: usize) -> usize {
        if position < self.prefix {
            return (sequence / self.prompts) * self.prefix + position;
        }
        self.families * self.prefix + sequence * self.length + (position - self.prefix)
    }
}

/// A choice of rows of a table, whose gradient adds up in the table's rows.
pub(super) struct Pick {
    index: Tensor,
    /// For every row of the table and each of `most` places, the chosen row that it went to, or the
    /// number of chosen rows where it went to none.
    inverse: Tensor,
    table: usize,
    most: usize,
}

impl Pick {
    /// Rows `index` of a table of `table` rows. Rows that are counted in `padding` get no gradient.
    pub(super) fn new(
        accelerator: &Accelerator,
        index: Vec<u32>,
        table: usize,
        is_padding: impl Fn(usize) -> bool,
    ) -> Result<Self> {
        let mut uses: Vec<Vec<u32>> = vec![Vec::new(); table];
        for (row, from) in index.iter().enumerate() {
            if !is_padding(row) {
                uses[*from as usize].push(row as u32);
            }
        }
        let most = uses.iter().map(Vec::len).max().unwrap_or(0);
        let none = index.len() as u32;
        let inverse = uses.iter().flat_map(|rows| {
            let filler = std::iter::repeat_n(none, most - rows.len());
            rows.iter().copied().chain(filler)
        });
        let inverse: Vec<u32> = inverse.collect();
        Ok(Self {
            inverse: accelerator.index(inverse)?,
            index: accelerator.index(index)?,
            table,
            most,
        })
    }

    /// `[T, D] -> [R, D]`.
    pub(super) fn forward(&self, table: &Tensor) -> Result<Tensor> {
        table.index_select(&self.index, 0)
    }

    /// The gradient of the table: each of its rows gathers those it went to, in order, so that sums
    /// are the same at every run.
    pub(super) fn pull(&self, grad: &Tensor) -> Result<Tensor> {
        let width = grad.dim(1)?;
        if self.most == 0 {
            return Tensor::zeros((self.table, width), grad.dtype(), grad.device());
        }
        let zero = Tensor::zeros((1, width), grad.dtype(), grad.device())?;
        let padded = Tensor::cat(&[grad, &zero], 0)?;
        let gathered = padded.index_select(&self.inverse, 0)?;
        match self.most {
            1 => Ok(gathered),
            most => gathered.reshape((self.table, most, width))?.sum(1),
        }
    }
}
