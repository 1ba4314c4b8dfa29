//! Linear layers and their activation.

use candle_core::Tensor;

use crate::{Init, Parameter, Result};

/// `y = W x + b` over the last dimension: `x` `[.., in]`, `weight` `[out, in]` as in
/// torch, `bias` `[out]`; result `[.., out]`.
///
/// # Errors
/// Shapes that do not match.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let mut y = x.reshape(((), inputs))?.matmul(&weight.t()?)?;
    if let Some(bias) = bias {
        y = y.broadcast_add(bias)?;
    }
    let mut dims = x.dims().to_vec();
    if let Some(last) = dims.last_mut() {
        *last = outputs;
    }
    Ok(y.reshape(dims)?)
}

/// Weight `[out, in]` and bias `[out]` of a linear layer as parameters, initialised as in
/// torch: U(-1/sqrt(in), 1/sqrt(in)).
pub fn linear_parameters(
    (weight, bias): (&str, &str),
    inputs: usize,
    outputs: usize,
) -> [Parameter; 2] {
    let init = Init::Uniform {
        bound: (inputs as f64).powf(-0.5),
    };
    [
        Parameter::new(weight, &[outputs, inputs], init.clone()),
        Parameter::new(bias, &[outputs], init),
    ]
}

/// `x · sigmoid(1.702 x)`, CLIP's approximation of GELU.
///
/// # Errors
/// Not a float tensor.
pub fn quick_gelu(x: &Tensor) -> Result<Tensor> {
    let sigmoid = ((x * -1.702)?.exp()? + 1.0)?.recip()?;
    Ok((x * sigmoid)?)
}
