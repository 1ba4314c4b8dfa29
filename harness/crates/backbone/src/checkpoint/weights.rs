//! Taking tensors out of a state dict, each checked and each exactly once.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};

use super::catalog::Catalog;
use super::layout::is_buffer;
use super::rope_buffers::is_rope_table;
use crate::error::{BackboneError, Result};
use crate::ops::{LayerNorm, Linear, Rope};

/// Tolerance for stored rotary tables, which may have been rounded to bf16.
const ROPE_TOLERANCE: f32 = 8e-3;

/// A state dict that is being taken apart.
pub(crate) struct Weights {
    catalog: Catalog,
    tensors: HashMap<String, Tensor>,
    /// Whether the tensors are placeholders without values.
    is_placeholder: bool,
}

impl Weights {
    pub(crate) fn new(catalog: Catalog, tensors: HashMap<String, Tensor>) -> Self {
        Self {
            catalog,
            tensors,
            is_placeholder: false,
        }
    }

    /// Tensors of the right names and shapes without values, to check whether a backbone can be built.
    pub(crate) fn placeholder(catalog: Catalog) -> Result<Self> {
        let placeholder = |(name, shape): (&String, &Vec<usize>)| {
            let mut shape = shape.clone();
            // An empty tensor of the right rank allocates nothing and can still be concatenated.
            if let Some(last) = shape.last_mut() {
                *last = 0;
            }
            let tensor = Tensor::zeros(shape, DType::F32, &Device::Cpu)?;
            Ok((name.clone(), tensor))
        };
        let tensors = catalog.shapes().map(placeholder).collect::<Result<_>>()?;
        Ok(Self {
            catalog,
            tensors,
            is_placeholder: true,
        })
    }

    pub(crate) fn is_placeholder(&self) -> bool {
        self.is_placeholder
    }

    fn error(&self, name: &str, expected: String, found: String) -> BackboneError {
        self.catalog.error(name, expected, found)
    }

    /// Removes a tensor; it must be f32 on the CPU, finite, and of this shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let Some(tensor) = self.tensors.remove(name) else {
            return Err(self.error(name, format!("{shape:?}"), "no such tensor".into()));
        };
        let found = self.catalog.shape(name).unwrap_or_default();
        if found != shape {
            return Err(self.error(name, format!("{shape:?}"), format!("{found:?}")));
        }
        if self.is_placeholder {
            return Ok(tensor);
        }
        if tensor.dtype() != DType::F32 || !tensor.device().is_cpu() {
            let found = format!("{:?} on {:?}", tensor.dtype(), tensor.device());
            return Err(self.error(name, "f32 on the CPU".into(), found));
        }
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let found = format!("{} at element {at}", values[at]);
            return Err(self.error(name, "finite values".into(), found));
        }
        // Kernels read contiguous slices, and a copy of a tracked tensor would not be trained.
        if tensor.is_contiguous() {
            Ok(tensor)
        } else if tensor.track_op() {
            Err(self.error(name, "a contiguous tensor".into(), "a strided view".into()))
        } else {
            Ok(tensor.contiguous()?)
        }
    }

    /// A single number, which some tools store as a row of one.
    pub(crate) fn scalar(&mut self, name: &str) -> Result<Tensor> {
        if self.catalog.shape(name) != Some(&[1]) {
            return self.take(name, &[]);
        }
        let row = self.take(name, &[1])?;
        Ok(if self.is_placeholder {
            row
        } else {
            row.squeeze(0)?
        })
    }

    /// `{name}.weight` `[out, in]` and `{name}.bias` `[out]`.
    pub(crate) fn linear(&mut self, name: &str, out: usize, inner: usize) -> Result<Linear> {
        let weight = self.take(&format!("{name}.weight"), &[out, inner])?;
        let bias = self.take(&format!("{name}.bias"), &[out])?;
        Ok(Linear::new(weight, Some(bias)))
    }

    /// `{name}.weight` and `{name}.bias` of a LayerNorm.
    pub(crate) fn layer_norm(&mut self, name: &str, width: usize, eps: f32) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.take(&format!("{name}.weight"), &[width])?,
            bias: self.take(&format!("{name}.bias"), &[width])?,
            eps,
        })
    }

    /// Compares the rotary tables of the file with those that are computed.
    pub(crate) fn check_rope(&self, rope: &Rope) -> Result<()> {
        let tables = self.tensors.iter().filter(|(name, _)| is_rope_table(name));
        for (name, tensor) in tables.filter(|_| !self.is_placeholder) {
            let stored = tensor.flatten_all()?.to_vec1::<f32>()?;
            let far = rope.distance(&stored, name.ends_with("sin"));
            if stored.len() != rope.len() || far > ROPE_TOLERANCE {
                return Err(self.error(
                    name,
                    format!(
                        "the table of {} values that the configuration implies",
                        rope.len()
                    ),
                    format!("{} values, up to {far} away", stored.len()),
                ));
            }
        }
        Ok(())
    }

    /// Fails if a tensor is left that is not a known buffer.
    pub(crate) fn finish(self) -> Result<()> {
        let mut left: Vec<&String> = self.tensors.keys().filter(|n| !is_buffer(n)).collect();
        left.sort();
        match left.first() {
            None => Ok(()),
            Some(first) => {
                let found = format!(
                    "{} unexpected tensor(s): the checkpoint has another architecture",
                    left.len()
                );
                Err(self.error(first, "no tensor of this name".into(), found))
            }
        }
    }
}
