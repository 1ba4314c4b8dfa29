//! Named tensors.

use candle_core::Tensor;

use crate::{Error, Result};

/// Named tensors, in the order of their declaration.
#[derive(Clone, Debug)]
pub struct Parameters {
    entries: Vec<(String, Tensor)>,
}

impl Parameters {
    /// Tensors by name.
    pub fn new(entries: Vec<(String, Tensor)>) -> Self {
        Self { entries }
    }

    pub(crate) fn push(&mut self, name: String, tensor: Tensor) {
        self.entries.push((name, tensor));
    }

    /// One by name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.iter()
            .find_map(|(n, tensor)| (n == name).then_some(tensor))
            .ok_or_else(|| Error::Config(format!("the method declares no parameter `{name}`")))
    }

    /// Several by name, in the order of `names`.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn get_all(&self, names: &[String]) -> Result<Vec<&Tensor>> {
        names.iter().map(|name| self.get(name)).collect()
    }

    /// All of them with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(name, t)| (name.as_str(), t))
    }
}
