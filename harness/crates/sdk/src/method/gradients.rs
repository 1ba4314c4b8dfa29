//! Gradients of a loss by parameter.

use candle_core::Tensor;

use super::{Batch, Forward, Method, function};
use crate::{Error, Host, Parameters, Result};

/// A loss with its gradient for every trained parameter.
#[derive(Clone, Debug)]
pub struct Gradients {
    loss: f64,
    entries: Vec<(String, Tensor)>,
}

impl Gradients {
    /// Gradients of a scalar in every trained parameter.
    ///
    /// # Errors
    /// The loss is no finite scalar, or does not depend on a trained parameter.
    pub fn of(loss: &Tensor, parameters: &Parameters) -> Result<Self> {
        Self::backward(loss_value(loss)?, loss, parameters, "the backward pass")
    }

    /// Gradients of [`Method::loss`].
    ///
    /// # Errors
    /// The loss fails, or as for [`of`](Self::of).
    pub fn of_loss<M: Method>(
        method: &M,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Self> {
        let place = function::<M>("loss");
        let loss = loss(method, host, parameters, batch, forward)?;
        let value = loss_value(&loss).map_err(|e| match e {
            Error::Tensor(_) => e.within(format!("{place}, which must be a scalar")),
            other => other,
        })?;
        let place = format!("the backward pass of {place}");
        Self::backward(value, &loss, parameters, &place)
    }

    fn backward(value: f64, loss: &Tensor, parameters: &Parameters, place: &str) -> Result<Self> {
        let found = loss.backward();
        let found = found.map_err(|e| Error::from(e).within(place))?;
        let mut entries = vec![];
        for (name, tensor) in parameters.iter().filter(|(_, t)| t.is_variable()) {
            let gradient = found.get(tensor);
            let gradient = gradient.ok_or_else(|| Error::NoGradient(name.to_owned()))?;
            entries.push((name.to_owned(), gradient.clone()));
        }
        Ok(Self {
            loss: value,
            entries,
        })
    }

    /// The loss.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The gradient of a trained parameter, of its shape.
    ///
    /// # Errors
    /// There is no trained parameter of this name.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        let found = self.entries.iter().find(|(n, _)| n == name);
        found
            .map(|(_, gradient)| gradient)
            .ok_or_else(|| Error::NoGradient(name.to_owned()))
    }

    /// Joins two gradients of each parameter into one; the loss stays that of `self`.
    ///
    /// # Errors
    /// `join` fails, or the other lacks a parameter.
    pub fn combine(
        self,
        other: &Self,
        join: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Self> {
        let mut entries = vec![];
        for (name, first) in self.entries {
            let joined = join(&first, other.get(&name)?)
                .map_err(|e| e.within(format!("the gradients of parameter `{name}`")))?;
            entries.push((name, joined));
        }
        Ok(Self {
            loss: self.loss,
            entries,
        })
    }
}

/// [`Method::loss`], with its name in errors.
pub(crate) fn loss<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: &Batch,
    forward: &Forward,
) -> Result<Tensor> {
    let loss = method.loss(host, parameters, batch, forward);
    loss.map_err(|e| e.within(function::<M>("loss")))
}

/// A loss as a number.
///
/// # Errors
/// It is not a scalar, or not finite.
pub(crate) fn loss_value(loss: &Tensor) -> Result<f64> {
    let value = f64::from(loss.to_scalar::<f32>()?);
    match value.is_finite() {
        true => Ok(value),
        false => Err(Error::Numeric(format!("the loss became {value}"))),
    }
}
