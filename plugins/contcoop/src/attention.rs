//! Attention of the context to the class embeddings.

use harness_sdk::{Init, Parameter, Parameters, Result, Tensor, ops};

use crate::{
    config::{Config, OutputInit},
    embedding::ClassEmbeddings,
};

/// Query, key, value and output projections; weights are `[out, in]`, as in torch.
pub(crate) fn parameters(config: &Config, width: usize) -> Vec<Parameter> {
    // torch's default for a linear layer.
    let uniform = Init::Uniform {
        bound: (width as f64).powf(-0.5),
    };
    let output = match config.output_init {
        OutputInit::Zero => Init::Zeros,
        OutputInit::SmallNormal => Init::Normal { std: 0.02 },
    };
    let mut parameters = vec![];
    for name in ["q", "k", "v", "o"] {
        let init = if name == "o" { &output } else { &uniform };
        let weight = format!("w{name}");
        parameters.push(Parameter::new(&weight, &[width, width], init.clone()));
        if config.bias {
            let bias = format!("b{name}");
            parameters.push(Parameter::new(&bias, &[width], Init::Zeros));
        }
    }
    parameters
}

/// A context `[C, M, D]` for every class:
/// `ctx + W_o MHA(Q = W_q ctx, K = W_k x, V = W_v x)`.
pub(crate) fn class_context(
    context: &Tensor,
    embeddings: &ClassEmbeddings,
    parameters: &Parameters,
    heads: usize,
) -> Result<Tensor> {
    let (attended, mask) = embeddings.attended(context)?;
    let (classes, _, width) = attended.dims3()?;
    let length = context.dim(0)?;
    let queries = project(context, "q", parameters)?;
    let queries = queries.broadcast_as((classes, length, width))?;
    let keys = project(&attended, "k", parameters)?;
    let values = project(&attended, "v", parameters)?;
    let mixed =
        ops::multi_head_attention(&queries.contiguous()?, &keys, &values, heads, Some(&mask))?;
    Ok(project(&mixed, "o", parameters)?.broadcast_add(context)?)
}

fn project(x: &Tensor, name: &str, parameters: &Parameters) -> Result<Tensor> {
    let bias = parameters.get(&format!("b{name}")).ok();
    ops::linear(x, parameters.get(&format!("w{name}"))?, bias)
}
