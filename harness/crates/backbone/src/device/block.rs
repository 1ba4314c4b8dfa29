//! One transformer block on rows.

use candle_core::{Result, Tensor};

use super::gradients::Gradients;
use super::op::attention::{Attention, Saved as Attended};
use super::op::{activation, linear, norm};
use crate::block::{Block, Mlp, Packing};
use crate::ops::Linear;

/// What the pull-back of a block reads.
pub(super) struct Saved {
    x: Tensor,
    /// Normalised input, where a low-rank change reads it.
    normal: Option<Tensor>,
    attended: Attended,
    /// The heads' output, where a norm or a low-rank change reads it.
    mixed: Option<Tensor>,
    middle: Tensor,
    /// Normalised middle, where a low-rank change reads it.
    middle_normal: Option<Tensor>,
    hidden: Hidden,
}

/// Inside of an MLP.
enum Hidden {
    Plain {
        up: Tensor,
        /// After the activation, where a low-rank change reads it.
        active: Option<Tensor>,
    },
    Gated {
        gate: Tensor,
        up: Tensor,
        product: Tensor,
        normal: Option<Tensor>,
    },
}

/// `[R, D] -> [R, D]`; what the pull-back reads is dropped by callers that need none.
pub(super) fn forward(block: &Block, x: &Tensor, attention: &Attention) -> Result<(Tensor, Saved)> {
    let normal = norm::forward(&block.ln_1, x)?;
    let (heads, attended) = attention.forward(&pack(&block.packing, &normal)?)?;
    let mixed = match &block.inner_norm {
        Some(inner) => norm::forward(inner, &heads)?,
        None => heads.clone(),
    };
    let middle = linear::forward_onto(x, &block.out, &mixed)?;
    let middle_normal = norm::forward(&block.ln_2, &middle)?;
    let (y, hidden) = feed_forward(&middle, &block.mlp, &middle_normal)?;
    let reads_mixed = block.inner_norm.is_some() || block.out.low_rank.is_some();
    let saved = Saved {
        x: x.clone(),
        normal: changes_packing(&block.packing).then_some(normal),
        attended,
        mixed: reads_mixed.then_some(heads),
        middle,
        middle_normal: changes_mlp(&block.mlp).then_some(middle_normal),
        hidden,
    };
    Ok((y, saved))
}

/// The gradient of the input from that of the output.
pub(super) fn pull(
    block: &Block,
    attention: &Attention,
    saved: &Saved,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let d_normal = pull_feed_forward(&block.mlp, saved, dy, gradients)?;
    let d_middle = norm::pull(&block.ln_2, &saved.middle, &d_normal, Some(dy), gradients)?;
    let d_heads = match (&block.inner_norm, &saved.mixed) {
        (Some(inner), Some(heads)) => {
            let mixed = match block.out.low_rank {
                Some(_) => Some(norm::forward(inner, heads)?),
                None => None,
            };
            let d_mixed = linear::pull(&block.out, mixed.as_ref(), &d_middle, gradients)?;
            norm::pull(inner, heads, &d_mixed, None, gradients)?
        }
        (_, mixed) => linear::pull(&block.out, mixed.as_ref(), &d_middle, gradients)?,
    };
    let d_packed = attention.pull(&saved.attended, &d_heads)?;
    let d_normal = pull_pack(&block.packing, saved.normal.as_ref(), &d_packed, gradients)?;
    norm::pull(&block.ln_1, &saved.x, &d_normal, Some(&d_middle), gradients)
}

fn changes_packing(packing: &Packing) -> bool {
    match packing {
        Packing::Packed { low_rank, .. } => low_rank.iter().any(Option::is_some),
        Packing::Split(parts) => parts.iter().any(|part| part.low_rank.is_some()),
    }
}

fn changes_mlp(mlp: &Mlp) -> bool {
    match mlp {
        Mlp::Plain { up, .. } => up.low_rank.is_some(),
        Mlp::SwiGlu { gate, up, .. } => gate.low_rank.is_some() || up.low_rank.is_some(),
    }
}

/// `[R, D]` to queries, keys and values `[R, 3 D]`.
fn pack(packing: &Packing, x: &Tensor) -> Result<Tensor> {
    match packing {
        Packing::Packed { map, low_rank, .. } => {
            let y = linear::forward(map, x)?;
            if low_rank.iter().all(Option::is_none) {
                return Ok(y);
            }
            let width = y.dim(1)? / 3;
            let parts = low_rank.iter().enumerate().map(|(third, change)| {
                let part = y.narrow(1, third * width, width)?;
                match change {
                    Some(change) => part + linear::forward_change(change, x)?,
                    None => Ok(part),
                }
            });
            Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)
        }
        Packing::Split(parts) => {
            let parts = parts.iter().map(|part| linear::forward(part, x));
            Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)
        }
    }
}

fn pull_pack(
    packing: &Packing,
    x: Option<&Tensor>,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let width = dy.dim(1)? / 3;
    let third = |i: usize| dy.narrow(1, i * width, width)?.contiguous();
    match packing {
        Packing::Packed { map, low_rank, .. } => {
            let mut dx = linear::pull(map, None, dy, gradients)?;
            for (i, change) in low_rank.iter().enumerate() {
                if let (Some(change), Some(x)) = (change, x) {
                    dx = (dx + linear::pull_change(change, x, &third(i)?, gradients)?)?;
                }
            }
            Ok(dx)
        }
        Packing::Split([q, k, v]) => {
            let mut pull = |part: &Linear, i: usize| linear::pull(part, x, &third(i)?, gradients);
            let (q, k, v) = (pull(q, 0)?, pull(k, 1)?, pull(v, 2)?);
            (q + k)? + v
        }
    }
}

/// `rest` and what the MLP gives.
fn feed_forward(rest: &Tensor, mlp: &Mlp, x: &Tensor) -> Result<(Tensor, Hidden)> {
    match mlp {
        Mlp::Plain {
            up,
            activation,
            down,
        } => {
            let hidden = linear::forward(up, x)?;
            let active = activation::forward(*activation, &hidden)?;
            let y = linear::forward_onto(rest, down, &active)?;
            let active = down.low_rank.is_some().then_some(active);
            Ok((y, Hidden::Plain { up: hidden, active }))
        }
        Mlp::SwiGlu {
            gate,
            up,
            norm: inner,
            down,
        } => {
            let (gate, up) = (linear::forward(gate, x)?, linear::forward(up, x)?);
            let product = activation::gated(&gate, &up)?;
            let normal = norm::forward(inner, &product)?;
            let y = linear::forward_onto(rest, down, &normal)?;
            let hidden = Hidden::Gated {
                gate,
                up,
                product,
                normal: down.low_rank.is_some().then_some(normal),
            };
            Ok((y, hidden))
        }
    }
}

fn pull_feed_forward(
    mlp: &Mlp,
    saved: &Saved,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let x = saved.middle_normal.as_ref();
    match (mlp, &saved.hidden) {
        (
            Mlp::Plain {
                up,
                activation,
                down,
            },
            Hidden::Plain { up: hidden, active },
        ) => {
            let d_active = linear::pull(down, active.as_ref(), dy, gradients)?;
            let d_hidden = activation::pull(*activation, hidden, &d_active)?;
            linear::pull(up, x, &d_hidden, gradients)
        }
        (
            Mlp::SwiGlu {
                gate,
                up,
                norm: inner,
                down,
            },
            Hidden::Gated {
                gate: gate_out,
                up: up_out,
                product,
                normal,
            },
        ) => {
            let d_normal = linear::pull(down, normal.as_ref(), dy, gradients)?;
            let d_product = norm::pull(inner, product, &d_normal, None, gradients)?;
            let (d_gate, d_up) = activation::pull_gated(gate_out, up_out, &d_product)?;
            linear::pull(gate, x, &d_gate, gradients)? + linear::pull(up, x, &d_up, gradients)?
        }
        _ => candle_core::bail!("a block's MLP is not the one whose values were saved"),
    }
}
