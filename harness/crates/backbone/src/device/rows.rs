//! Which rows of a request are computed, and in which order.

use std::collections::BTreeMap;

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

/// A choice of rows of a table. Rows of the table from `first` on get a gradient.
pub(super) struct Pick {
    index: Tensor,
    /// By the number of places that a row went to: how many such rows there are, and the places.
    uses: Vec<Uses>,
    /// The rows that get a gradient, among those of `uses` one after the other.
    order: Tensor,
}

/// Rows of a table that went to equally many places.
struct Uses {
    rows: usize,
    count: usize,
    places: Option<Tensor>,
}

impl Pick {
    /// Rows `index` of a table of `table` rows. Places that are padding give nothing back.
    pub(super) fn new(
        accelerator: &Accelerator,
        index: Vec<u32>,
        (first, table): (usize, usize),
        is_padding: impl Fn(usize) -> bool,
    ) -> Result<Self> {
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); table - first];
        for (place, from) in index.iter().enumerate() {
            let from = *from as usize;
            if from >= first && !is_padding(place) {
                places[from - first].push(place as u32);
            }
        }
        let mut by_count: BTreeMap<usize, (Vec<usize>, Vec<u32>)> = BTreeMap::new();
        for (row, places) in places.iter().enumerate() {
            let (rows, all) = by_count.entry(places.len()).or_default();
            rows.push(row);
            all.extend(places);
        }
        let mut order = vec![0; places.len()];
        let mut uses = Vec::with_capacity(by_count.len());
        let mut before = 0;
        for (count, (rows, all)) in by_count {
            for (number, row) in rows.iter().enumerate() {
                order[*row] = (before + number) as u32;
            }
            before += rows.len();
            uses.push(Uses {
                rows: rows.len(),
                count,
                places: match count {
                    0 => None,
                    _ => Some(accelerator.index(all)?),
                },
            });
        }
        Ok(Self {
            order: accelerator.index(order)?,
            index: accelerator.index(index)?,
            uses,
        })
    }

    /// `[T, D] -> [R, D]`.
    pub(super) fn forward(&self, table: &Tensor) -> Result<Tensor> {
        table.index_select(&self.index, 0)
    }

    /// The gradient of the table's rows from `first` on: each adds up what its places give back, in
    /// order, so that sums are the same at every run. None where there is no such row.
    pub(super) fn pull(&self, grad: &Tensor) -> Result<Option<Tensor>> {
        let width = grad.dim(1)?;
        let parts = self.uses.iter().map(|uses| match &uses.places {
            None => Tensor::zeros((uses.rows, width), grad.dtype(), grad.device()),
            Some(places) => {
                let gathered = grad.index_select(places, 0)?;
                match uses.count {
                    1 => Ok(gathered),
                    count => gathered.reshape((uses.rows, count, width))?.sum(1),
                }
            }
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        match parts.as_slice() {
            [] => Ok(None),
            // Of one kind, so in order.
            [part] => Ok(Some(part.clone())),
            parts => Tensor::cat(parts, 0)?
                .index_select(&self.order, 0)
                .map(Some),
        }
    }
}
