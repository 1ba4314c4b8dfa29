//! The backward pass.

use candle_core::{Tensor, Var};

use super::gradient_check;
use crate::{Batch, Error, Forward, Host, Method, Result, method::function};

/// The loss, and the gradient of every parameter in their order, of a method's losses
/// combined.
pub(crate) fn gradients<M: Method>(
    method: &M,
    host: &Host,
    batch: &Batch,
    forward: &Forward,
    vars: &[(&str, &Var)],
) -> Result<(f64, Vec<Tensor>)> {
    let loss = loss(method, host, batch, forward)?;
    let value = value::<M>(&loss)?;
    let backward = |loss: &Tensor, what: &str| {
        let gradients = loss.backward().map_err(Error::from);
        gradients.map_err(|e| e.within(format!("the backward pass of {}", function::<M>(what))))
    };
    let first = backward(&loss, "loss")?;
    let second = method.second_loss(host, batch, forward);
    let second = match second.map_err(|e| e.within(function::<M>("second_loss")))? {
        Some(loss) => Some(backward(&loss, "second_loss")?),
        None => None,
    };
    let mut gradients = vec![];
    for &(name, var) in vars {
        let missing = || Error::NoGradient(name.to_owned());
        let first = first.get(var).ok_or_else(missing)?;
        let gradient = match &second {
            None => first.clone(),
            Some(second) => {
                let second = second.get(var).ok_or_else(missing)?;
                let combined = method.combine(first, second);
                combined.map_err(|e| {
                    e.within(format!(
                        "{} for parameter `{name}`",
                        function::<M>("combine")
                    ))
                })?
            }
        };
        check_finite(name, &gradient)?;
        gradients.push(gradient);
    }
    Ok((value, gradients))
}

/// [`Method::loss`], a scalar.
fn loss<M: Method>(method: &M, host: &Host, batch: &Batch, forward: &Forward) -> Result<Tensor> {
    let loss = method.loss(host, batch, forward);
    loss.map_err(|e| e.within(function::<M>("loss")))
}

/// The loss as a number.
fn value<M: Method>(loss: &Tensor) -> Result<f64> {
    let place = || format!("{}, which must be a scalar", function::<M>("loss"));
    let value = loss.to_scalar::<f32>().map_err(Error::from);
    let value = f64::from(value.map_err(|e| e.within(place()))?);
    match value.is_finite() {
        true => Ok(value),
        false => Err(Error::Numeric(format!("the loss became {value}"))),
    }
}

/// Compares the gradients of [`Method::loss`] with finite differences of it; `forward` runs
/// the forward pass on the present values.
pub(crate) fn check_gradients<M: Method>(
    method: &M,
    host: &Host,
    vars: &[(&str, &Var)],
    forward: &dyn Fn() -> Result<(Batch, Forward)>,
) -> Result<()> {
    let at = || -> Result<Tensor> {
        let (batch, forward) = forward()?;
        loss(method, host, &batch, &forward)
    };
    let gradients = at()?.backward()?;
    for &(name, var) in vars {
        let missing = || Error::NoGradient(name.to_owned());
        let gradient = gradients.get(var).ok_or_else(missing)?;
        gradient_check::check(name, var, gradient, &|| value::<M>(&at()?))?;
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
