//! The network that maps an image feature to a context vector.

use harness_sdk::{Parameter, Parameters, Result, Tensor, ops, wire::BackboneFacts};

/// Two linear layers with a 16 times narrower hidden layer.
pub(crate) fn parameters(backbone: &BackboneFacts) -> Vec<Parameter> {
    let hidden = (backbone.embed_dim / 16).max(1);
    let first = ops::linear_parameters(("w1", "b1"), backbone.embed_dim, hidden);
    let second = ops::linear_parameters(("w2", "b2"), hidden, backbone.text.width);
    first.into_iter().chain(second).collect()
}

/// `W2 ReLU(W1 f + b1) + b2`: image features `[B, E]`, normalised, to `[B, D]`.
pub(crate) fn forward(images: &Tensor, parameters: &Parameters) -> Result<Tensor> {
    let get = |name| parameters.get(name);
    let hidden = ops::linear(images, get("w1")?, Some(get("b1")?))?.relu()?;
    ops::linear(&hidden, get("w2")?, Some(get("b2")?))
}
