//! The network that maps a class's zero-shot text feature to tokens.

use harness_sdk::{Parameter, Parameters, Result, Tensor, ops, wire::BackboneFacts};

/// Two linear layers with a 4 times narrower hidden layer; the output is `length` tokens.
pub(crate) fn parameters(length: usize, backbone: &BackboneFacts) -> Vec<Parameter> {
    let hidden = (backbone.embed_dim / 4).max(1);
    let first = ops::linear_parameters(("w1", "b1"), backbone.embed_dim, hidden);
    let tokens = length * backbone.text.width;
    let second = ops::linear_parameters(("w2", "b2"), hidden, tokens);
    first.into_iter().chain(second).collect()
}

/// `W2 QuickGELU(W1 t + b1) + b2`: text features `[C, E]` to tokens `[C, M, D]`.
pub(crate) fn forward(
    features: &Tensor,
    (length, width): (usize, usize),
    parameters: &Parameters,
) -> Result<Tensor> {
    let get = |name| parameters.get(name);
    let hidden = ops::quick_gelu(&ops::linear(features, get("w1")?, Some(get("b1")?))?)?;
    let tokens = ops::linear(&hidden, get("w2")?, Some(get("b2")?))?;
    Ok(tokens.reshape(((), length, width))?)
}
