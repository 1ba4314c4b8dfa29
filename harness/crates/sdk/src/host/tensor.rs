//! Tensors of the boundary and of this plugin's candle.

use candle_core::{Device, Tensor};
use harness_abi::AbiTensor;

use crate::Result;

pub(crate) fn from_abi(tensor: AbiTensor) -> Result<Tensor> {
    let shape = tensor.checked_shape()?;
    Ok(Tensor::from_vec(
        tensor.values.into_vec(),
        shape,
        &Device::Cpu,
    )?)
}

pub(crate) fn to_abi(tensor: &Tensor) -> Result<AbiTensor> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(AbiTensor::new(tensor.dims(), values))
}
