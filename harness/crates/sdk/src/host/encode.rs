//! Gradients over the boundary: the host's encoders as a candle operation.
//!
//! All tensors of a request are concatenated into one flat input, so that one custom
//! operation handles any number of them. The host keeps what the backward pass needs under
//! a tape, which is released when the operation is dropped.

use std::sync::{Arc, Mutex, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use harness_abi::{
    AbiError, AbiTensor, HostObject, Reply,
    std_types::{RSlice, RStr},
    wire::{Encoded, ImageRequest, TextRequest},
};

use super::tensor::to_abi;
use crate::{Error, Result};

/// Encodes a text request; the result has `shape`.
pub(crate) fn encode_text(
    host: Arc<HostObject>,
    request: &TextRequest,
    tensors: &[Tensor],
    shape: &[usize],
) -> Result<Tensor> {
    let json = serde_json::to_string(request)?;
    encode(host, (Encoder::Text, json), tensors, request.tape, shape)
}

/// Encodes an image request; the result has `shape`.
pub(crate) fn encode_image(
    host: Arc<HostObject>,
    request: &ImageRequest,
    tensors: &[Tensor],
    shape: &[usize],
) -> Result<Tensor> {
    let json = serde_json::to_string(request)?;
    encode(host, (Encoder::Image, json), tensors, request.tape, shape)
}

/// Which of the host's encoders.
#[derive(Clone, Copy)]
enum Encoder {
    Text,
    Image,
}

impl Encoder {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "encode_text",
            Self::Image => "encode_image",
        }
    }
}

fn encode(
    host: Arc<HostObject>,
    (encoder, request): (Encoder, String),
    tensors: &[Tensor],
    tape: bool,
    shape: &[usize],
) -> Result<Tensor> {
    let operation = HostEncode {
        host,
        encoder,
        request,
        inputs: tensors.iter().map(|t| t.dims().to_vec()).collect(),
        output: shape.to_vec(),
        tape: OnceLock::new(),
        host_error: Arc::default(),
    };
    if tensors.is_empty() {
        let values = operation.call(&[])?;
        return Ok(Tensor::from_vec(values, shape, &Device::Cpu)?);
    }
    let flat = tensors
        .iter()
        .map(Tensor::flatten_all)
        .collect::<candle_core::Result<Vec<_>>>()?;
    let flat = Tensor::cat(&flat, 0)?;
    let host_error = Arc::clone(&operation.host_error);
    let result = if tape {
        flat.apply_op1(operation)
    } else {
        flat.apply_op1_no_bwd(&operation)
    };
    // candle keeps only the message of an error, not its kind.
    let host_error = host_error.lock().ok().and_then(|mut error| error.take());
    match host_error {
        Some(error) => Err(error.into()),
        None => Ok(result?),
    }
}

struct HostEncode {
    host: Arc<HostObject>,
    encoder: Encoder,
    request: String,
    inputs: Vec<Vec<usize>>,
    output: Vec<usize>,
    tape: OnceLock<u64>,
    host_error: Arc<Mutex<Option<AbiError>>>,
}

impl HostEncode {
    /// Calls the host and checks the shape of its reply.
    fn call(&self, flat: &[f32]) -> Result<Vec<f32>> {
        let mut tensors = vec![];
        let mut rest = flat;
        for shape in &self.inputs {
            let (head, tail) = rest.split_at(shape.iter().product());
            tensors.push(AbiTensor::new(shape, head.to_vec()));
            rest = tail;
        }
        let request = RStr::from_str(&self.request);
        let tensors = RSlice::from_slice(&tensors);
        let reply: Reply = match self.encoder {
            Encoder::Text => self.host.encode_text(request, tensors),
            Encoder::Image => self.host.encode_image(request, tensors),
        }
        .into_result()?;
        let encoded: Encoded = serde_json::from_str(reply.json.as_str())?;
        if let Some(tape) = encoded.tape {
            // The forward pass runs once, so this cannot fail.
            let _ = self.tape.set(tape);
        }
        match reply.tensors.into_iter().next() {
            Some(t) if t.checked_shape().as_ref() == Ok(&self.output) => Ok(t.values.into_vec()),
            _ => Err(Error::incomplete_reply(
                self.encoder.name(),
                "features of the expected shape",
            )),
        }
    }

    fn vjp(&self, cotangent: &Tensor) -> Result<Vec<f32>> {
        let Some(&tape) = self.tape.get() else {
            return Err(Error::incomplete_reply(self.encoder.name(), "a tape"));
        };
        let cotangent = to_abi(cotangent)?;
        let gradients = self.host.vjp(tape, &cotangent).into_result()?;
        let mut flat = vec![];
        let mut shapes = vec![];
        for gradient in gradients {
            shapes.push(gradient.checked_shape()?);
            flat.extend_from_slice(&gradient.values);
        }
        if shapes == self.inputs {
            Ok(flat)
        } else {
            Err(Error::incomplete_reply("vjp", "one gradient per tensor"))
        }
    }
}

impl Drop for HostEncode {
    fn drop(&mut self) {
        if let Some(&tape) = self.tape.get() {
            self.host.release(tape);
        }
    }
}

impl CustomOp1 for HostEncode {
    fn name(&self) -> &'static str {
        "host-encode"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let values = storage.as_slice::<f32>()?;
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("host-encode: the input is not contiguous");
        };
        match self.call(&values[start..end]) {
            Ok(features) => Ok((
                CpuStorage::F32(features),
                Shape::from(self.output.as_slice()),
            )),
            Err(error) => {
                let text = error.to_string();
                if let Ok(mut host_error) = self.host_error.lock() {
                    *host_error = Some(error.into());
                }
                Err(candle_core::Error::msg(text))
            }
        }
    }

    fn bwd(
        &self,
        arg: &Tensor,
        _res: &Tensor,
        grad_res: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let flat = self.vjp(grad_res).map_err(candle_core::Error::wrap)?;
        Tensor::from_vec(flat, arg.shape(), arg.device()).map(Some)
    }
}
