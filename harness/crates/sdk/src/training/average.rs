//! The weighted sum of the parameters over epochs.

use super::Trainable;
use crate::{Error, Parameters, Result};

pub(super) struct Average {
    weights: Option<Vec<f64>>,
    sum: Option<Parameters>,
}

impl Average {
    /// Without weights nothing is added up.
    pub(super) fn new(weights: Option<Vec<f64>>, epochs: usize) -> Result<Self> {
        match &weights {
            Some(w) if w.len() != epochs => Err(Error::Config(format!(
                "epoch_weights: expected {epochs} weights, found {}",
                w.len()
            ))),
            _ => Ok(Self { weights, sum: None }),
        }
    }

    pub(super) fn add(&mut self, epoch: usize, trainable: &Trainable) -> Result<()> {
        let Some(weights) = &self.weights else {
            return Ok(());
        };
        let mut entries = vec![];
        for (name, value) in trainable.values()?.iter() {
            let mut term = (value * weights[epoch])?;
            if let Some(sum) = &self.sum {
                term = (sum.get(name)? + term)?;
            }
            entries.push((name.to_owned(), term));
        }
        self.sum = Some(Parameters::new(entries));
        Ok(())
    }

    /// The sum, if there are weights and at least one epoch.
    pub(super) fn take(&mut self) -> Option<Parameters> {
        self.sum.take()
    }
}
