//! The backward pass.

use candle_core::{Tensor, Var};

use crate::{Batch, Error, Forward, Host, Method, Result};

/// The loss, and the gradient of every parameter in their order, of a method's losses
/// combined.
pub(crate) fn gradients<M: Method>(
    method: &M,
    host: &Host,
    batch: &Batch,
    forward: &Forward,
    vars: &[(&str, &Var)],
) -> Result<(f64, Vec<Tensor>)> {
    let loss = method.loss(host, batch, forward)?;
    let value = f64::from(loss.to_scalar::<f32>()?);
    if !value.is_finite() {
        return Err(Error::Numeric(format!("the loss became {value}")));
    }
    let first = loss.backward()?;
    let second = match method.second_loss(host, batch, forward)? {
        Some(loss) => Some(loss.backward()?),
        None => None,
    };
    let mut gradients = vec![];
    for &(name, var) in vars {
        let missing = || Error::NoGradient(name.to_owned());
        let first = first.get(var).ok_or_else(missing)?;
        gradients.push(match &second {
            None => first.clone(),
            Some(second) => method.combine(first, second.get(var).ok_or_else(missing)?)?,
        });
    }
    Ok((value, gradients))
}
