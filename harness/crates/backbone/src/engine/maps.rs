//! Affine maps with their low-rank changes, forward and backward.

use std::ops::Range;

use super::values::{Slot, Values};
use crate::kernels::{add_rows, vectorised};
use crate::matrix::{Matrix, Target, add_product, set_product};
use crate::ops::Dropout;

/// A LayerNorm.
pub(crate) struct Norm {
    pub(crate) gain: Slot,
    pub(crate) bias: Slot,
    pub(crate) eps: f32,
}

/// An affine map with a weight `[out, in]` that gets no gradient.
pub(crate) struct Map {
    pub(crate) weight: Slot,
    pub(crate) bias: Option<Slot>,
    pub(crate) inner: usize,
    pub(crate) outer: usize,
    pub(crate) changes: Vec<Change>,
}

/// A low-rank change of some of a map's outputs.
pub(crate) struct Change {
    pub(crate) columns: Range<usize>,
    pub(crate) a: Slot,
    pub(crate) b: Slot,
    pub(crate) rank: usize,
    pub(crate) scale: f32,
    pub(crate) dropout: Option<Dropout>,
}

/// Rows that a map reads, and the number of each in the padded batch, which decides dropout.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    pub(crate) rows: &'a [f32],
    pub(crate) places: &'a [usize],
}

/// Gradients of the weights among the inputs.
pub(crate) struct WeightGradients<'a> {
    pub(crate) values: &'a mut [f32],
    /// Where they begin among the inputs.
    pub(crate) first: usize,
}

impl WeightGradients<'_> {
    pub(crate) fn at(&mut self, range: Range<usize>) -> &mut [f32] {
        &mut self.values[range.start - self.first..range.end - self.first]
    }
}

impl Map {
    fn weights<'a>(&self, values: &Values<'a>, columns: &Range<usize>) -> Matrix<'a> {
        let weight = &values.get(self.weight)[columns.start * self.inner..];
        Matrix::new(weight, columns.len(), self.inner)
    }

    fn changes(&self, columns: &Range<usize>) -> impl Iterator<Item = &Change> {
        let columns = columns.clone();
        let within =
            move |c: &&Change| columns.start <= c.columns.start && c.columns.end <= columns.end;
        self.changes.iter().filter(within)
    }

    /// The first value of every row of a target, at which `column` begins.
    fn target<'a>(values: &'a mut [f32], stride: usize, column: usize) -> Target<'a> {
        match values.is_empty() {
            true => Target::new(values, stride),
            false => Target::new(&mut values[column..], stride),
        }
    }

    /// Some of the outputs; `to` has rows `stride` apart whose columns are the map's.
    pub(crate) fn set(
        &self,
        values: &Values<'_>,
        columns: Range<usize>,
        from: Reads<'_>,
        to: &mut [f32],
        stride: usize,
    ) {
        if let Some(bias) = self.bias {
            let bias = &values.get(bias)[columns.clone()];
            for row in to.chunks_mut(stride) {
                row[columns.clone()].copy_from_slice(bias);
            }
        } else {
            for row in to.chunks_mut(stride) {
                row[columns.clone()].fill(0.0);
            }
        }
        self.add_linear(values, columns, from, to, stride);
    }

    /// All outputs, added to the rows of `to`.
    pub(crate) fn add(&self, values: &Values<'_>, from: Reads<'_>, to: &mut [f32]) {
        if let Some(bias) = self.bias {
            let bias = values.get(bias);
            vectorised(
                #[inline(always)]
                || {
                    for row in to.chunks_exact_mut(self.outer) {
                        crate::kernels::add_scaled(row, 1.0, bias);
                    }
                },
            );
        }
        self.add_linear(values, 0..self.outer, from, to, self.outer);
    }

    fn add_linear(
        &self,
        values: &Values<'_>,
        columns: Range<usize>,
        from: Reads<'_>,
        to: &mut [f32],
        stride: usize,
    ) {
        let rows = from.places.len();
        let x = Matrix::new(from.rows, rows, self.inner);
        let weights = self.weights(values, &columns).t();
        add_product(Self::target(to, stride, columns.start), 1.0, x, weights);
        for change in self.changes(&columns) {
            let narrow = change.narrow(values, from, self.inner);
            let narrow = Matrix::new(&narrow, rows, change.rank);
            let b = Matrix::new(values.get(change.b), change.columns.len(), change.rank);
            let target = Self::target(to, stride, change.columns.start);
            add_product(target, change.scale, narrow, b.t());
        }
    }

    /// Sets or adds to the gradient of what some of the outputs read, given theirs.
    pub(crate) fn pull(
        &self,
        values: &Values<'_>,
        columns: Range<usize>,
        (grad, stride): (&[f32], usize),
        places: &[usize],
        (to, adds): (&mut [f32], bool),
    ) {
        let rows = places.len();
        if rows == 0 {
            return;
        }
        let outer = Matrix::strided(&grad[columns.start..], rows, columns.len(), stride);
        let target = Target::new(to, self.inner);
        let weights = self.weights(values, &columns);
        match adds {
            true => add_product(target, 1.0, outer, weights),
            false => set_product(target, outer, weights),
        }
        for change in self.changes(&columns) {
            let narrow = change.pull_narrow(values, grad, stride, rows);
            let narrow = Matrix::new(&narrow, rows, change.rank);
            let a = Matrix::new(values.get(change.a), change.rank, self.inner);
            let target = Target::new(to, self.inner);
            match change.dropout {
                None => add_product(target, change.scale, narrow, a),
                Some(dropout) => {
                    let mut dropped = vec![0.0; rows * self.inner];
                    add_product(
                        Target::new(&mut dropped, self.inner),
                        change.scale,
                        narrow,
                        a,
                    );
                    for (row, place) in dropped.chunks_exact_mut(self.inner).zip(places) {
                        dropout.apply_from(place * self.inner, row);
                    }
                    crate::kernels::add(to, &dropped);
                }
            }
        }
    }

    /// Whether the gradient of a weight needs what the map read.
    pub(crate) fn needs_input(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Adds the gradients of the weights behind some of the outputs.
    pub(crate) fn pull_weights(
        &self,
        values: &Values<'_>,
        columns: Range<usize>,
        (grad, stride): (&[f32], usize),
        from: Reads<'_>,
        gradients: &mut WeightGradients<'_>,
    ) {
        let rows = from.places.len();
        if rows == 0 {
            return;
        }
        if let Some(range) = self.bias.and_then(|bias| values.gradient(bias)) {
            let range = range.start + columns.start..range.start + columns.end;
            add_rows(&grad[columns.start..], stride, gradients.at(range));
        }
        for change in self.changes(&columns) {
            let outer = change.columns.len();
            let grad = Matrix::strided(&grad[change.columns.start..], rows, outer, stride);
            if let Some(range) = values.gradient(change.b) {
                let narrow = change.narrow(values, from, self.inner);
                let narrow = Matrix::new(&narrow, rows, change.rank);
                let target = Target::new(gradients.at(range), change.rank);
                add_product(target, change.scale, grad.t(), narrow);
            }
            if let Some(range) = values.gradient(change.a) {
                let b = Matrix::new(values.get(change.b), outer, change.rank);
                let mut narrow = vec![0.0; rows * change.rank];
                set_product(Target::new(&mut narrow, change.rank), grad, b);
                let kept = change.dropped(from, self.inner);
                let kept = Matrix::new(kept.as_deref().unwrap_or(from.rows), rows, self.inner);
                let narrow = Matrix::new(&narrow, rows, change.rank);
                let target = Target::new(gradients.at(range), self.inner);
                add_product(target, change.scale, narrow.t(), kept);
            }
        }
    }
}

impl Change {
    /// What dropout leaves of the rows; none without dropout.
    fn dropped(&self, from: Reads<'_>, inner: usize) -> Option<Vec<f32>> {
        let dropout = self.dropout?;
        let mut kept = from.rows.to_vec();
        for (row, place) in kept.chunks_exact_mut(inner).zip(from.places) {
            dropout.apply_from(place * inner, row);
        }
        Some(kept)
    }

    /// `drop(x) A^T`, `[rows, r]`.
    fn narrow(&self, values: &Values<'_>, from: Reads<'_>, inner: usize) -> Vec<f32> {
        let rows = from.places.len();
        let kept = self.dropped(from, inner);
        let kept = Matrix::new(kept.as_deref().unwrap_or(from.rows), rows, inner);
        let a = Matrix::new(values.get(self.a), self.rank, inner);
        let mut narrow = vec![0.0; rows * self.rank];
        set_product(Target::new(&mut narrow, self.rank), kept, a.t());
        narrow
    }

    /// `grad B`, `[rows, r]`.
    fn pull_narrow(
        &self,
        values: &Values<'_>,
        grad: &[f32],
        stride: usize,
        rows: usize,
    ) -> Vec<f32> {
        let outer = self.columns.len();
        let grad = Matrix::strided(&grad[self.columns.start..], rows, outer, stride);
        let b = Matrix::new(values.get(self.b), outer, self.rank);
        let mut narrow = vec![0.0; rows * self.rank];
        set_product(Target::new(&mut narrow, self.rank), grad, b);
        narrow
    }
}
