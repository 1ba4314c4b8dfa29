//! The backward pass.

use candle_core::{Tensor, Var};

use super::gradient_check;
use crate::{
    Batch, Error, Forward, Host, Method, Parameters, Result,
    method::{function, loss, loss_value},
};

/// The loss, and the gradient of every parameter in their order, from [`Method::gradients`].
pub(crate) fn gradients<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: &Batch,
    forward: &Forward,
    vars: &[(&str, &Var)],
) -> Result<(f64, Vec<Tensor>)> {
    let found = method.gradients(host, parameters, batch, forward);
    let found = found.map_err(|e| match e {
        placed @ (Error::Within { .. } | Error::Numeric(_) | Error::NoGradient(_)) => placed,
        other => other.within(function::<M>("gradients")),
    })?;
    let mut gradients = vec![];
    for &(name, var) in vars {
        let gradient = found.get(name)?.clone();
        if gradient.dims() != var.dims() {
            return Err(Error::Numeric(format!(
                "the gradient of parameter `{name}` is {:?}, the parameter {:?}",
                gradient.dims(),
                var.dims()
            )));
        }
        check_finite(name, &gradient)?;
        gradients.push(gradient);
    }
    Ok((found.loss(), gradients))
}

/// Compares the gradients of [`Method::loss`] with finite differences of it; `forward` runs
/// the forward pass on the present values.
pub(crate) fn check_gradients<M: Method>(
    method: &M,
    host: &Host,
    vars: &[(&str, &Var)],
    forward: &dyn Fn() -> Result<(Parameters, Batch, Forward)>,
) -> Result<()> {
    let at = || -> Result<Tensor> {
        let (parameters, batch, forward) = forward()?;
        loss(method, host, &parameters, &batch, &forward)
    };
    let gradients = at()?.backward()?;
    for &(name, var) in vars {
        let missing = || Error::NoGradient(name.to_owned());
        let gradient = gradients.get(var).ok_or_else(missing)?;
        gradient_check::check(name, var, gradient, &|| loss_value(&at()?))?;
    }
    Ok(())
}

/// Found here, before an optimizer spreads it over all values.
fn check_finite(name: &str, gradient: &Tensor) -> Result<()> {
    let values = gradient.flatten_all()?.to_vec1::<f32>()?;
    let Some(at) = values.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    Err(Error::Numeric(format!(
        "the gradient of parameter `{name}` is {} at element {at} of {:?}",
        values[at],
        gradient.dims()
    )))
}
