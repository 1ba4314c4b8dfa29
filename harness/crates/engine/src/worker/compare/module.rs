//! The tensors of a module file, with other values.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use super::job::failed;
use crate::worker::error::JobError;

/// Tensors of a module file.
pub(super) struct Module {
    pub(super) tensors: BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
}

impl Module {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, JobError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(failed)?;
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
        Ok(Self {
            tensors: tensors.into_iter().collect(),
            metadata: metadata.metadata().clone(),
        })
    }

    /// With the initial values that a file gives.
    pub(super) fn with(
        mut self,
        path: &Path,
        file: &HashMap<String, Tensor>,
    ) -> Result<Self, JobError> {
        for (name, value) in file {
            let Some(name) = name.strip_prefix("param.") else {
                continue;
            };
            let names: Vec<&String> = self.tensors.keys().collect();
            let Some(own) = self.tensors.get(name) else {
                return Err(failed(format!(
                    "{}: param.{name}: the method has no such parameter, only {names:?}",
                    path.display()
                )));
            };
            if own.dims() != value.dims() {
                return Err(failed(format!(
                    "{}: param.{name}: expected the shape {:?}, found {:?}",
                    path.display(),
                    own.dims(),
                    value.dims()
                )));
            }
            self.tensors.insert(name.to_owned(), value.clone());
        }
        Ok(self)
    }

    /// One step of plain SGD.
    pub(super) fn descend(
        &self,
        found: &BTreeMap<String, Tensor>,
        rate: f32,
    ) -> Result<Self, JobError> {
        let tensors = self.tensors.iter().map(|(name, value)| {
            let next = match found.get(&format!("grad.{name}")) {
                Some(gradient) => (value - (gradient * f64::from(rate))?)?,
                None => value.clone(),
            };
            Ok((name.clone(), next))
        });
        Ok(Self {
            tensors: tensors.collect::<Result<_, JobError>>()?,
            metadata: self.metadata.clone(),
        })
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, JobError> {
        let mut buffers = Vec::new();
        for (name, tensor) in &self.tensors {
            let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            buffers.push((name, tensor.dims().to_vec(), bytes));
        }
        let mut views = Vec::new();
        for (name, shape, bytes) in &buffers {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(failed)?;
            views.push((*name, view));
        }
        serialize(views, self.metadata.clone()).map_err(failed)
    }
}
