//! Changes inside a tower.

use candle_core::Tensor;
use harness_abi::wire::{BiasMode, Dropout, Edit, Tower};

use crate::{Error, Result};

/// Edits of one tower. Encoding is differentiable in every tensor.
///
/// ```no_run
/// # use harness_sdk::{Batch, Edits, Host, Result, Tensor, wire::Tower};
/// # fn images(host: &Host, batch: &Batch, a: &Tensor, b: &Tensor, tokens: &Tensor) -> Result<Tensor> {
/// // LoRA of rank r on the queries of block 3, and prompts beside the patches.
/// let edits = Edits::new(Tower::Image)
///     .low_rank("blocks.3.attn.q.weight", (a, b), 1.0, None)
///     .append(tokens)?;
/// host.encode_image(batch, &edits)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Edits {
    tower: Tower,
    edits: Vec<Edit>,
    tensors: Vec<Tensor>,
}

impl Edits {
    /// No edits yet.
    pub fn new(tower: Tower) -> Self {
        Self {
            tower,
            edits: vec![],
            tensors: vec![],
        }
    }

    /// Appends tokens `[n, D]`, or `[B, n, D]` per image, at the image input: after the
    /// patches and without positional embeddings.
    ///
    /// # Errors
    /// The text tower, or another number of dimensions.
    pub fn append(mut self, tokens: &Tensor) -> Result<Self> {
        if self.tower != Tower::Image {
            return Err(Error::Config(
                "tokens can be appended in the image tower only".into(),
            ));
        }
        let tensor = self.push_tokens(tokens)?;
        self.edits.push(Edit::AppendTokens { tensor });
        Ok(self)
    }

    /// Replaces tokens at the input of block `layer`; 0 is the tower's input.
    ///
    /// In the text tower from position `start`, by `[n, D]`, `[C, n, D]` or
    /// `[G, C, n, D]`. In the image tower `start` counts from the end (n for the last n
    /// tokens), and the tokens are `[n, D]` or `[B, n, D]`.
    ///
    /// # Errors
    /// Another number of dimensions.
    pub fn replace(mut self, layer: usize, start: usize, tokens: &Tensor) -> Result<Self> {
        let (tower, tensor) = (self.tower, self.push_tokens(tokens)?);
        self.edits.push(Edit::ReplaceTokens {
            tower,
            layer,
            start,
            tensor,
        });
        Ok(self)
    }

    /// Adds `scale · B A` to a weight of a linear layer; `a` is `[r, in]`, `b` `[out, r]`.
    /// [`Host::dropout`](crate::Host::dropout) gives dropout of the input.
    #[must_use]
    pub fn low_rank(
        mut self,
        weight: &str,
        (a, b): (&Tensor, &Tensor),
        scale: f64,
        dropout: Option<Dropout>,
    ) -> Self {
        let (a, b) = (self.push(a.clone()), self.push(b.clone()));
        self.edits.push(Edit::LowRank {
            tower: self.tower,
            weight: weight.to_owned(),
            a,
            b,
            scale: scale as f32,
            dropout,
        });
        self
    }

    /// Replaces or adds to a bias or gain.
    #[must_use]
    pub fn bias(mut self, name: &str, mode: BiasMode, value: &Tensor) -> Self {
        let tensor = self.push(value.clone());
        self.edits.push(Edit::Bias {
            tower: self.tower,
            name: name.to_owned(),
            mode,
            tensor,
        });
        self
    }

    /// Adds all edits of another list for the same tower.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        let first = self.tensors.len();
        self.tensors.extend(other.tensors.iter().cloned());
        let shifted = other.edits.iter().map(|edit| shifted(edit.clone(), first));
        self.edits.extend(shifted);
        self
    }

    pub(super) fn tower(&self) -> Tower {
        self.tower
    }

    pub(super) fn list(&self) -> &[Edit] {
        &self.edits
    }

    pub(super) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Whether a gradient is wanted for any tensor.
    pub(super) fn is_tracked(&self) -> bool {
        self.tensors.iter().any(Tensor::track_op)
    }

    /// Adds a tensor with all leading dimensions that the ABI requires for tokens.
    pub(super) fn push_tokens(&mut self, tokens: &Tensor) -> Result<usize> {
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

/// An edit whose tensor indices are `by` higher.
fn shifted(mut edit: Edit, by: usize) -> Edit {
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
