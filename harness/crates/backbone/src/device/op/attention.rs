//! Multi-head self-attention over families of sequences that begin alike.

use candle_core::{D, Device, Result, Tensor};

use super::rotation::Rotation;
#[cfg(feature = "cuda")]
use crate::device::fused;
use crate::device::rows::RowLayout;

/// What attention needs besides its input.
pub(in crate::device) struct Attention {
    pub(in crate::device) layout: RowLayout,
    pub(in crate::device) heads: usize,
    pub(in crate::device) rotation: Option<Rotation>,
    /// `[S, P + S]` of the sequences' own rows and `[P, P]` of what they begin with: minus infinity
    /// where a row does not see another. None where every row sees all.
    masks: Option<(Tensor, Tensor)>,
}

/// What the pull-back of a set of sequences reads: `[B, S, head_dim]`, `[B, L, head_dim]` twice and
/// `[B, S, L]`, queries scaled.
struct Heads {
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weights: Tensor,
}

/// What [`Attention::pull`] reads.
pub(in crate::device) struct Saved {
    own: Heads,
    prefix: Option<Heads>,
}

impl Attention {
    pub(in crate::device) fn new(
        layout: RowLayout,
        heads: usize,
        causal: bool,
        rotation: Option<Rotation>,
        (dtype, device): (candle_core::DType, &Device),
    ) -> Result<Self> {
        let mask = |rows: usize, before: usize| -> Result<Tensor> {
            let columns = before + rows;
            let value = |row: usize, column: usize| match column <= before + row {
                true => 0.0,
                false => f32::NEG_INFINITY,
            };
            let values: Vec<f32> = (0..rows)
                .flat_map(|row| (0..columns).map(move |column| value(row, column)))
                .collect();
            Tensor::from_vec(values, (rows, columns), device)?.to_dtype(dtype)
        };
        let masks = match causal {
            true => Some((mask(layout.length, layout.prefix)?, mask(layout.prefix, 0)?)),
            false => None,
        };
        Ok(Self {
            layout,
            heads,
            rotation,
            masks,
        })
    }

    /// Packed queries, keys and values `[R, 3 D]` to `[R, D]`.
    pub(in crate::device) fn forward(&self, packed: &Tensor) -> Result<(Tensor, Saved)> {
        let RowLayout {
            families,
            prompts,
            prefix,
            length,
        } = self.layout;
        #[cfg(feature = "cuda")]
        if self.is_fused(packed) {
            return self.forward_fused(packed);
        }
        let shared = families * prefix;
        let [query, key, value] = self.split(
            &packed.narrow(0, shared, packed.dim(0)? - shared)?,
            prompts,
            length,
        )?;
        let batch = families * self.heads * prompts;
        if prefix == 0 {
            let mask = self.masks.as_ref().map(|masks| &masks.0);
            let (mixed, own) = attend(
                query.flatten(0, 2)?,
                key.flatten(0, 2)?,
                value.flatten(0, 2)?,
                mask,
            )?;
            let rows = self.join(&mixed, prompts, length)?;
            return Ok((rows, Saved { own, prefix: None }));
        }
        let [first_query, first_key, first_value] =
            self.split(&packed.narrow(0, 0, shared)?, 1, prefix)?;
        // What sequences begin with stands before the rows of each.
        let whole = |first: &Tensor, own: &Tensor| {
            let head_dim = own.dim(D::Minus1)?;
            let first = first.broadcast_as((families, self.heads, prompts, prefix, head_dim))?;
            Tensor::cat(&[&first, own], 3)?.reshape((batch, prefix + length, head_dim))
        };
        let (key, value) = (whole(&first_key, &key)?, whole(&first_value, &value)?);
        let mask = self.masks.as_ref().map(|masks| &masks.0);
        let (mixed, own) = attend(query.flatten(0, 2)?, key, value, mask)?;
        let mask = self.masks.as_ref().map(|masks| &masks.1);
        let (first, before) = attend(
            first_query.flatten(0, 2)?,
            first_key.flatten(0, 2)?,
            first_value.flatten(0, 2)?,
            mask,
        )?;
        let rows = Tensor::cat(
            &[
                self.join(&first, 1, prefix)?,
                self.join(&mixed, prompts, length)?,
            ],
            0,
        )?;
        Ok((
            rows,
            Saved {
                own,
                prefix: Some(before),
            },
        ))
    }

    /// The gradient of the packed rows from that of what [`Self::forward`] gave.
    pub(in crate::device) fn pull(&self, saved: &Saved, grad: &Tensor) -> Result<Tensor> {
        let RowLayout {
            families,
            prompts,
            prefix,
            length,
        } = self.layout;
        #[cfg(feature = "cuda")]
        if self.is_fused(grad) {
            return self.pull_fused(saved, grad);
        }
        let shared = families * prefix;
        let own_grad = grad.narrow(0, shared, grad.dim(0)? - shared)?;
        let [query, key, value] =
            pull_attend(&saved.own, &self.heads_of(&own_grad, prompts, length)?)?;
        let Some(before) = &saved.prefix else {
            return self.merge([query, key, value], prompts, length);
        };
        let [first_query, first_key, first_value] = pull_attend(
            before,
            &self.heads_of(&grad.narrow(0, 0, shared)?, 1, prefix)?,
        )?;
        let head_dim = key.dim(D::Minus1)?;
        // The rows that all sequences of a family read collect what each gives back.
        let divide = |whole: Tensor, first: Tensor| -> Result<(Tensor, Tensor)> {
            let whole =
                whole.reshape((families, self.heads, prompts, prefix + length, head_dim))?;
            let collected = whole.narrow(3, 0, prefix)?.sum(2)?;
            let first = (first + collected.reshape((families * self.heads, prefix, head_dim))?)?;
            let own = whole.narrow(3, prefix, length)?.contiguous()?;
            Ok((first, own.flatten(0, 2)?))
        };
        let (first_key, key) = divide(key, first_key)?;
        let (first_value, value) = divide(value, first_value)?;
        Tensor::cat(
            &[
                self.merge([first_query, first_key, first_value], 1, prefix)?,
                self.merge([query, key, value], prompts, length)?,
            ],
            0,
        )
    }

    /// Whether heads are laid out by kernels of their own.
    #[cfg(feature = "cuda")]
    fn is_fused(&self, x: &Tensor) -> bool {
        fused::is_fused(x) && self.rotation.is_none()
    }

    /// The rows that the sequences of each family share, as sequences of their own.
    #[cfg(feature = "cuda")]
    fn of_prefix(&self) -> RowLayout {
        RowLayout {
            families: self.layout.families,
            prompts: 1,
            prefix: 0,
            length: self.layout.prefix,
        }
    }

    #[cfg(feature = "cuda")]
    fn forward_fused(&self, packed: &Tensor) -> Result<(Tensor, Saved)> {
        let causal = self.masks.is_some();
        let attend = |[query, key, value]: [Tensor; 3]| -> Result<(Tensor, Heads)> {
            let scores = query.matmul(&key.transpose(1, 2)?)?;
            let weights = fused::softmax(&scores, causal)?;
            let mixed = weights.matmul(&value)?;
            let heads = Heads {
                query,
                key,
                value,
                weights,
            };
            Ok((mixed, heads))
        };
        let (mixed, own) = attend(fused::split(packed, &self.layout, self.heads)?)?;
        if self.layout.prefix == 0 {
            let rows = fused::join(&mixed, None, &self.layout, self.heads)?;
            return Ok((rows, Saved { own, prefix: None }));
        }
        let (first, before) = attend(fused::split(packed, &self.of_prefix(), self.heads)?)?;
        let rows = fused::join(&mixed, Some(&first), &self.layout, self.heads)?;
        let prefix = Some(before);
        Ok((rows, Saved { own, prefix }))
    }

    #[cfg(feature = "cuda")]
    fn pull_fused(&self, saved: &Saved, grad: &Tensor) -> Result<Tensor> {
        let pull = |heads: &Heads, grad: &Tensor| -> Result<[Tensor; 3]> {
            let value = heads.weights.transpose(1, 2)?.matmul(grad)?;
            let weights = grad.matmul(&heads.value.transpose(1, 2)?)?;
            let scores = fused::softmax_pull(&heads.weights, &weights)?;
            let query = scores.matmul(&heads.key)?;
            Ok([query, scores.transpose(1, 2)?.matmul(&heads.query)?, value])
        };
        let [own, first] = fused::part(grad, &self.layout, self.heads)?;
        let own = pull(&saved.own, &own)?;
        let first = match &saved.prefix {
            Some(before) => Some(pull(before, &first)?),
            None => None,
        };
        fused::merge(&own, first.as_ref(), &self.layout, self.heads)
    }

    /// Packed rows to queries, keys and values `[F, H, C, S, head_dim]`.
    fn split(&self, packed: &Tensor, prompts: usize, length: usize) -> Result<[Tensor; 3]> {
        let head_dim = packed.dim(1)? / (3 * self.heads);
        let parts = packed
            .reshape(
                &[
                    self.layout.families,
                    prompts,
                    length,
                    3,
                    self.heads,
                    head_dim,
                ][..],
            )?
            .permute([3, 0, 4, 1, 2, 5])?
            .contiguous()?;
        let [query, key] = [parts.get(0)?, parts.get(1)?].map(|part| self.turn(part, false));
        let scale = 1.0 / (head_dim as f64).sqrt();
        Ok([(query? * scale)?, key?, parts.get(2)?])
    }

    /// Turns queries or keys `[F, H, C, S, head_dim]` by their places.
    fn turn(&self, part: Tensor, inverse: bool) -> Result<Tensor> {
        let Some(rotation) = &self.rotation else {
            return Ok(part);
        };
        let shape = part.shape().clone();
        let (families, heads, prompts, length, head_dim) = part.dims5()?;
        let flat = part.reshape((families, heads * prompts, length, head_dim))?;
        rotation.turn(&flat, inverse)?.reshape(shape)
    }

    /// `[F H C, S, head_dim]` to rows `[F C S, D]`.
    fn join(&self, heads: &Tensor, prompts: usize, length: usize) -> Result<Tensor> {
        let head_dim = heads.dim(D::Minus1)?;
        let families = self.layout.families;
        heads
            .reshape((families, self.heads, prompts, length, head_dim))?
            .permute((0, 2, 3, 1, 4))?
            .reshape((families * prompts * length, self.heads * head_dim))
    }

    /// Rows `[F C S, D]` to `[F H C, S, head_dim]`.
    fn heads_of(&self, rows: &Tensor, prompts: usize, length: usize) -> Result<Tensor> {
        let head_dim = rows.dim(1)? / self.heads;
        let families = self.layout.families;
        rows.reshape((families, prompts, length, self.heads, head_dim))?
            .permute((0, 3, 1, 2, 4))?
            .reshape((families * self.heads * prompts, length, head_dim))
    }

    /// Gradients of queries, keys and values `[F H C, S, head_dim]` to that of the packed rows.
    fn merge(&self, parts: [Tensor; 3], prompts: usize, length: usize) -> Result<Tensor> {
        let [query, key, value] = parts;
        let head_dim = query.dim(D::Minus1)?;
        let families = self.layout.families;
        let query = (query * (1.0 / (head_dim as f64).sqrt()))?;
        let shape = (families, self.heads, prompts, length, head_dim);
        let query = self.turn(query.reshape(shape)?, true)?;
        let key = self.turn(key.reshape(shape)?, true)?;
        Tensor::stack(&[query, key, value.reshape(shape)?], 0)?
            .permute([1, 3, 4, 0, 2, 5])?
            .reshape((families * prompts * length, 3 * self.heads * head_dim))
    }
}

/// `softmax(q k^T + mask) v` for each of a batch.
fn attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Option<&Tensor>,
) -> Result<(Tensor, Heads)> {
    let scores = query.matmul(&key.transpose(1, 2)?)?;
    let scores = match mask {
        Some(mask) => scores.broadcast_add(mask)?,
        None => scores,
    };
    let weights = candle_nn::ops::softmax_last_dim(&scores)?;
    let mixed = weights.matmul(&value)?;
    Ok((
        mixed,
        Heads {
            query,
            key,
            value,
            weights,
        },
    ))
}

/// Gradients of scaled queries, keys and values.
fn pull_attend(heads: &Heads, grad: &Tensor) -> Result<[Tensor; 3]> {
    let value = heads.weights.transpose(1, 2)?.matmul(grad)?;
    let weights = grad.matmul(&heads.value.transpose(1, 2)?)?;
    // p * (d - sum(p d))
    let scaled = (&heads.weights * &weights)?;
    let total = scaled.sum_keepdim(D::Minus1)?;
    let scores = (scaled - heads.weights.broadcast_mul(&total)?)?;
    let query = scores.matmul(&heads.key)?;
    let key = scores.transpose(1, 2)?.matmul(&heads.query)?;
    Ok([query, key, value])
}
