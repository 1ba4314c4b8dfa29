//! One pre-norm transformer block: plain (CLIP, both towers) or EVA02's image block.

use candle_core::{Result as CandleResult, Tensor};

use crate::checkpoint::Weights;
use crate::dims::Activation;
use crate::error::Result;
use crate::ops::{AttentionShape, LayerNorm, Linear, LowRank, activate, attention, swiglu};

/// Projection to queries, keys and values.
#[derive(Debug, Clone)]
pub(crate) enum Packing {
    /// One map to all three.
    Packed {
        map: Linear,
        /// Changes of the three that edits ask for.
        low_rank: [Option<LowRank>; 3],
        /// Whether keys have a bias of their own (CLIP) or none (EVA02).
        key_bias: bool,
    },
    /// Three maps; kept apart where one of them is trained, so that its tensor stays the caller's.
    Split([Linear; 3]),
}

impl Packing {
    /// Joins three frozen maps into one; a missing bias counts as zero.
    pub(crate) fn join(parts: [Linear; 3]) -> Result<Self> {
        let tracked =
            |l: &Linear| l.weight.track_op() || l.bias.as_ref().is_some_and(Tensor::track_op);
        if parts.iter().any(tracked) {
            return Ok(Self::Split(parts));
        }
        let weight = Tensor::cat(&[&parts[0].weight, &parts[1].weight, &parts[2].weight], 0)?;
        let biases = parts
            .iter()
            .map(|l| match &l.bias {
                Some(bias) => Ok(bias.clone()),
                None => Tensor::zeros(l.weight.dim(0)?, l.weight.dtype(), l.weight.device()),
            })
            .collect::<CandleResult<Vec<_>>>()?;
        Ok(Self::Packed {
            map: Linear::new(weight, Some(Tensor::cat(&biases, 0)?)),
            low_rank: [None, None, None],
            key_bias: parts[1].bias.is_some(),
        })
    }

    fn forward(&self, x: &Tensor) -> CandleResult<Tensor> {
        match self {
            Self::Packed { map, low_rank, .. } => {
                let y = map.forward(x)?;
                if low_rank.iter().all(Option::is_none) {
                    return Ok(y);
                }
                let (n, s, triple) = y.dims3()?;
                let changes = low_rank.iter().map(|change| match change {
                    Some(change) => change.forward(x),
                    None => Tensor::zeros((n, s, triple / 3), y.dtype(), y.device()),
                });
                &y + Tensor::cat(&changes.collect::<CandleResult<Vec<_>>>()?, 2)?
            }
            Self::Split([q, k, v]) => {
                Tensor::cat(&[q.forward(x)?, k.forward(x)?, v.forward(x)?], 2)
            }
        }
    }
}

/// The feed-forward half.
#[derive(Debug, Clone)]
pub(crate) enum Mlp {
    /// Two layers around an activation.
    Plain {
        up: Linear,
        activation: Activation,
        down: Linear,
    },
    /// `down(LN(silu(gate x) * (up x)))`, EVA02's SwiGLU with sub-LN.
    SwiGlu {
        gate: Linear,
        up: Linear,
        norm: LayerNorm,
        down: Linear,
    },
}

impl Mlp {
    fn forward(&self, x: &Tensor) -> CandleResult<Tensor> {
        match self {
            Self::Plain {
                up,
                activation,
                down,
            } => down.forward(&activate(&up.forward(x)?, *activation)?),
            Self::SwiGlu {
                gate,
                up,
                norm,
                down,
            } => down.forward(&norm.forward(&swiglu(&gate.forward(x)?, &up.forward(x)?)?)?),
        }
    }
}

/// `x + attn(LN x)`, then `x + mlp(LN x)`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) ln_1: LayerNorm,
    pub(crate) packing: Packing,
    /// LayerNorm on the heads' output before the projection (EVA02).
    pub(crate) inner_norm: Option<LayerNorm>,
    pub(crate) out: Linear,
    pub(crate) ln_2: LayerNorm,
    pub(crate) mlp: Mlp,
}

impl Block {
    /// `[N, S, D] -> [N, S, D]`.
    pub(crate) fn forward(&self, x: &Tensor, shape: &AttentionShape) -> CandleResult<Tensor> {
        let packed = self.packing.forward(&self.ln_1.forward(x)?)?;
        let mut mixed = attention(&packed, shape)?;
        if let Some(norm) = &self.inner_norm {
            mixed = norm.forward(&mixed)?;
        }
        let x = (x + self.out.forward(&mixed)?)?;
        &x + self.mlp.forward(&self.ln_2.forward(&x)?)?
    }
}

impl Linear {
    fn tensors<'t>(&'t self, list: &mut Vec<&'t Tensor>) {
        list.push(&self.weight);
        list.extend(&self.bias);
        self.low_rank
            .iter()
            .for_each(|change| list.extend([&change.a, &change.b]));
    }
}

impl Block {
    /// Whether a parameter of its own is trained; low-rank changes do not count.
    pub(crate) fn is_tracked(&self) -> bool {
        self.tensors().into_iter().any(Tensor::track_op)
    }

    /// Whether a low-rank change drops values.
    pub(crate) fn has_dropout(&self) -> bool {
        let of_map = |map: &Linear| map.low_rank.as_ref().is_some_and(|c| c.dropout.is_some());
        let packing = match &self.packing {
            Packing::Packed { low_rank, .. } => {
                low_rank.iter().flatten().any(|c| c.dropout.is_some())
            }
            Packing::Split(parts) => parts.iter().any(of_map),
        };
        let mlp = match &self.mlp {
            Mlp::Plain { up, down, .. } => of_map(up) || of_map(down),
            Mlp::SwiGlu { gate, up, down, .. } => of_map(gate) || of_map(up) || of_map(down),
        };
        packing || of_map(&self.out) || mlp
    }

    /// All parameters, those of low-rank changes among them.
    pub(crate) fn tensors(&self) -> Vec<&Tensor> {
        let mut list = Vec::new();
        for norm in [Some(&self.ln_1), self.inner_norm.as_ref(), Some(&self.ln_2)] {
            norm.iter()
                .for_each(|norm| list.extend([&norm.weight, &norm.bias]));
        }
        match &self.packing {
            Packing::Packed { map, low_rank, .. } => {
                map.tensors(&mut list);
                let changes = low_rank.iter().flatten();
                changes.for_each(|change| list.extend([&change.a, &change.b]));
            }
            Packing::Split(parts) => parts.iter().for_each(|part| part.tensors(&mut list)),
        }
        self.out.tensors(&mut list);
        match &self.mlp {
            Mlp::Plain { up, down, .. } => [up, down].iter().for_each(|map| map.tensors(&mut list)),
            Mlp::SwiGlu {
                gate,
                up,
                norm,
                down,
            } => {
                [gate, up, down]
                    .iter()
                    .for_each(|map| map.tensors(&mut list));
                list.extend([&norm.weight, &norm.bias]);
            }
        }
        list
    }
}

/// Widths and constants of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockShape {
    pub(crate) width: usize,
    pub(crate) mlp: usize,
    pub(crate) eps: f32,
    pub(crate) activation: Activation,
}

/// A plain block in open_clip's names.
pub(crate) fn open_clip(weights: &mut Weights, at: &str, shape: BlockShape) -> Result<Block> {
    let d = shape.width;
    let qkv = Linear::new(
        weights.take(&format!("{at}attn.in_proj_weight"), &[3 * d, d])?,
        Some(weights.take(&format!("{at}attn.in_proj_bias"), &[3 * d])?),
    );
    Ok(Block {
        ln_1: weights.layer_norm(&format!("{at}ln_1"), d, shape.eps)?,
        packing: Packing::Packed {
            map: qkv,
            low_rank: [None, None, None],
            key_bias: true,
        },
        inner_norm: None,
        out: weights.linear(&format!("{at}attn.out_proj"), d, d)?,
        ln_2: weights.layer_norm(&format!("{at}ln_2"), d, shape.eps)?,
        mlp: Mlp::Plain {
            up: weights.linear(&format!("{at}mlp.c_fc"), shape.mlp, d)?,
            activation: shape.activation,
            down: weights.linear(&format!("{at}mlp.c_proj"), d, shape.mlp)?,
        },
    })
}

/// A plain block in transformers' names.
pub(crate) fn transformers(weights: &mut Weights, at: &str, shape: BlockShape) -> Result<Block> {
    let d = shape.width;
    let parts = [
        weights.linear(&format!("{at}self_attn.q_proj"), d, d)?,
        weights.linear(&format!("{at}self_attn.k_proj"), d, d)?,
        weights.linear(&format!("{at}self_attn.v_proj"), d, d)?,
    ];
    Ok(Block {
        ln_1: weights.layer_norm(&format!("{at}layer_norm1"), d, shape.eps)?,
        packing: Packing::join(parts)?,
        inner_norm: None,
        out: weights.linear(&format!("{at}self_attn.out_proj"), d, d)?,
        ln_2: weights.layer_norm(&format!("{at}layer_norm2"), d, shape.eps)?,
        mlp: Mlp::Plain {
            up: weights.linear(&format!("{at}mlp.fc1"), shape.mlp, d)?,
            activation: shape.activation,
            down: weights.linear(&format!("{at}mlp.fc2"), d, shape.mlp)?,
        },
    })
}

/// Where the two spellings of EVA02 differ.
pub(crate) struct EvaNames {
    pub(crate) query_bias: &'static str,
    pub(crate) value_bias: &'static str,
    pub(crate) inner_norm: &'static str,
    pub(crate) gate: &'static str,
    pub(crate) up: &'static str,
    pub(crate) norm: &'static str,
    pub(crate) down: &'static str,
}

/// timm's spelling.
pub(crate) const TIMM: EvaNames = EvaNames {
    query_bias: "attn.q_proj.bias",
    value_bias: "attn.v_proj.bias",
    inner_norm: "attn.norm",
    gate: "mlp.fc1_g",
    up: "mlp.fc1_x",
    norm: "mlp.norm",
    down: "mlp.fc2",
};

/// The spelling of the EVA-CLIP repository.
pub(crate) const EVA_CLIP: EvaNames = EvaNames {
    query_bias: "attn.q_bias",
    value_bias: "attn.v_bias",
    inner_norm: "attn.inner_attn_ln",
    gate: "mlp.w1",
    up: "mlp.w2",
    norm: "mlp.ffn_ln",
    down: "mlp.w3",
};

/// An EVA02 image block; keys have no bias.
pub(crate) fn eva(
    weights: &mut Weights,
    at: &str,
    names: &EvaNames,
    shape: BlockShape,
) -> Result<Block> {
    let (d, hidden) = (shape.width, shape.mlp);
    let mut map = |name: &str, bias: Option<&str>| -> Result<Linear> {
        let weight = weights.take(&format!("{at}attn.{name}.weight"), &[d, d])?;
        let bias = bias.map(|b| weights.take(&format!("{at}{b}"), &[d]));
        Ok(Linear::new(weight, bias.transpose()?))
    };
    let parts = [
        map("q_proj", Some(names.query_bias))?,
        map("k_proj", None)?,
        map("v_proj", Some(names.value_bias))?,
    ];
    Ok(Block {
        ln_1: weights.layer_norm(&format!("{at}norm1"), d, shape.eps)?,
        packing: Packing::join(parts)?,
        inner_norm: Some(weights.layer_norm(&format!("{at}{}", names.inner_norm), d, shape.eps)?),
        out: weights.linear(&format!("{at}attn.proj"), d, d)?,
        ln_2: weights.layer_norm(&format!("{at}norm2"), d, shape.eps)?,
        mlp: Mlp::SwiGlu {
            gate: weights.linear(&format!("{at}{}", names.gate), hidden, d)?,
            up: weights.linear(&format!("{at}{}", names.up), hidden, d)?,
            norm: weights.layer_norm(&format!("{at}{}", names.norm), hidden, shape.eps)?,
            down: weights.linear(&format!("{at}{}", names.down), d, hidden)?,
        },
    })
}
