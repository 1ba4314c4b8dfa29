//! Parameters during training.

use candle_core::Var;
use harness_abi::wire::ParameterShape;

use crate::{Parameters, Result};

pub(crate) struct Trainable {
    tensors: Vec<TrainableTensor>,
}

struct TrainableTensor {
    name: String,
    var: Var,
    fixed: bool,
}

impl Trainable {
    /// Parameters with given values; `declared` says which are fixed.
    pub(crate) fn new(values: &Parameters, declared: &[ParameterShape]) -> Result<Self> {
        let mut tensors = vec![];
        for (name, tensor) in values.iter() {
            tensors.push(TrainableTensor {
                name: name.to_owned(),
                var: Var::from_tensor(tensor)?,
                fixed: declared.iter().any(|d| d.name == name && d.fixed),
            });
        }
        Ok(Self { tensors })
    }

    /// Those that are trained.
    pub(crate) fn vars(&self) -> impl Iterator<Item = (&str, &Var)> {
        let trained = self.tensors.iter().filter(|tensor| !tensor.fixed);
        trained.map(|tensor| (tensor.name.as_str(), &tensor.var))
    }

    /// Number of trained values.
    pub(crate) fn count(&self) -> u64 {
        self.vars().map(|(_, var)| var.elem_count() as u64).sum()
    }

    /// The parameters as tensors; those that are trained track gradients.
    pub(crate) fn tracked(&self) -> Parameters {
        let tensors = self.tensors.iter().map(|tensor| {
            let value = match tensor.fixed {
                true => tensor.var.as_detached_tensor(),
                false => tensor.var.as_tensor().clone(),
            };
            (tensor.name.clone(), value)
        });
        Parameters::new(tensors.collect())
    }

    /// A copy of their current values.
    pub(crate) fn values(&self) -> Result<Parameters> {
        let mut values = vec![];
        for TrainableTensor { name, var, .. } in &self.tensors {
            values.push((name.clone(), var.as_tensor().detach().copy()?));
        }
        Ok(Parameters::new(values))
    }
}
