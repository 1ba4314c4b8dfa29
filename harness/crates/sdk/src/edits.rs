//! Changes inside a tower, as a method writes them.

use candle_core::Tensor;
use harness_abi::wire::{BiasMode, Dropout, Edit, Tower};

use crate::{Error, Result};

/// Edits of one tower. Differentiable in every tensor once they are encoded.
#[derive(Clone, Debug)]
pub struct Edits {
    tower: Tower,
    entries: Vec<Edit>,
    tensors: Vec<Tensor>,
}

impl Edits {
    /// None so far.
    pub fn of(tower: Tower) -> Self {
        Self {
            tower,
            entries: vec![],
            tensors: vec![],
        }
    }

    /// Appends tokens `[n, D]`, or `[B, n, D]` for each image, at the image input:
    /// after the patches, once positions are added.
    pub fn append(mut self, tokens: &Tensor) -> Result<Self> {
        if self.tower != Tower::Image {
            return Err(Error::Config(
                "tokens can be appended in the image tower only".into(),
            ));
        }
        let tensor = self.tokens(tokens)?;
        self.entries.push(Edit::AppendTokens { tensor });
        Ok(self)
    }

    /// Replaces tokens at the input of block `layer`; 0 is the tower's input.
    ///
    /// In the text tower from position `start` on, by `[n, D]`, `[C, n, D]` or
    /// `[G, C, n, D]`. In the image tower `start` counts from the end, n for the
    /// last n tokens, and the tokens are `[n, D]` or `[B, n, D]`.
    pub fn replace(mut self, layer: usize, start: usize, tokens: &Tensor) -> Result<Self> {
        let (tower, tensor) = (self.tower, self.tokens(tokens)?);
        self.entries.push(Edit::ReplaceTokens {
            tower,
            layer,
            start,
            tensor,
        });
        Ok(self)
    }

    /// Adds `scale · B A` to a linear weight; `a` is `[r, in]`, `b` `[out, r]`.
    /// Dropout of the input comes from [`Bench::dropout`](crate::Bench::dropout).
    pub fn low_rank(
        mut self,
        weight: &str,
        (a, b): (&Tensor, &Tensor),
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Self {
        let (a, b) = (self.push(a.clone()), self.push(b.clone()));
        self.entries.push(Edit::LowRank {
            tower: self.tower,
            weight: weight.to_owned(),
            a,
            b,
            scale: scale as f32,
            dropout,
        });
        self
    }

    /// Changes a bias or gain.
    pub fn bias(mut self, name: &str, mode: BiasMode, value: &Tensor) -> Self {
        let tensor = self.push(value.clone());
        self.entries.push(Edit::Bias {
            tower: self.tower,
            name: name.to_owned(),
            mode,
            tensor,
        });
        self
    }

    /// Adds all edits of another list for the same tower.
    pub fn and(mut self, other: &Self) -> Self {
        let first = self.tensors.len();
        self.tensors.extend(other.tensors.iter().cloned());
        let moved = other.entries.iter().map(|edit| moved(edit.clone(), first));
        self.entries.extend(moved);
        self
    }

    pub(crate) fn tower(&self) -> Tower {
        self.tower
    }

    pub(crate) fn entries(&self) -> &[Edit] {
        &self.entries
    }

    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Adds a tensor in the form that token edits and contexts have on the wire.
    pub(crate) fn tokens(&mut self, tokens: &Tensor) -> Result<usize> {
        let full = match self.tower {
            Tower::Text => 4,
            Tower::Image => 3,
        };
        let rank = tokens.rank();
        if rank < 2 || rank > full {
            return Err(Error::Config(format!(
                "tokens: expected [n, D] with up to {} leading dimensions, found {:?}",
                full - 2,
                tokens.dims()
            )));
        }
        let mut tokens = tokens.clone();
        while tokens.rank() < full {
            tokens = tokens.unsqueeze(0)?;
        }
        Ok(self.push(tokens))
    }

    fn push(&mut self, tensor: Tensor) -> usize {
        self.tensors.push(tensor);
        self.tensors.len() - 1
    }
}

/// An edit whose tensors stand `by` places later.
fn moved(mut edit: Edit, by: usize) -> Edit {
    match &mut edit {
        Edit::ReplaceTokens { tensor, .. }
        | Edit::AppendTokens { tensor }
        | Edit::Bias { tensor, .. } => *tensor += by,
        Edit::LowRank { a, b, .. } => {
            *a += by;
            *b += by;
        }
    }
    edit
}
