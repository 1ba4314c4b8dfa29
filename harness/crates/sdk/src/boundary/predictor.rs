//! A module in a backbone as the host calls it.

use candle_core::Tensor;
use harness_abi::{
    self as abi, AbiError, AbiTensor,
    std_types::{RResult, RSlice, RStr, RVec},
    wire::Split,
};

use super::{at_boundary, carried::CarriedModule};
use crate::{
    Batch, Error, Host, Method, Parameters,
    host::to_abi,
    method::{encode_batch, logits},
    module,
};

/// A module in the host's backbone.
pub(super) struct PredictorEntry<M> {
    pub(super) carried: CarriedModule,
    pub(super) host: Host,
    pub(super) method: M,
    pub(super) parameters: Parameters,
    pub(super) classifier: Tensor,
}

impl<M: Method> abi::Predictor for PredictorEntry<M> {
    fn logits(&self, split: RStr<'_>, rows: RSlice<'_, u32>) -> RResult<AbiTensor, AbiError> {
        at_boundary(|| {
            let split = Split::parse(split.as_str())
                .ok_or_else(|| Error::Config(format!("unknown split `{split}`")))?;
            let batch = Batch::new(split, rows.to_vec(), None);
            let batch = encode_batch(&self.method, &self.host, &self.parameters, batch)?;
            let logits = logits(
                &self.method,
                &self.host,
                &self.parameters,
                &batch,
                &self.classifier,
            )?;
            to_abi(&logits)
        })
    }

    fn module(&self) -> RResult<RVec<u8>, AbiError> {
        at_boundary(|| Ok(module::save(&self.carried.header, &self.carried.tensors)?.into()))
    }
}
