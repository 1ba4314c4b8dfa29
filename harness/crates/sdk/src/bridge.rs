//! Gradients over the boundary: the host's encoders as a candle operation.
//!
//! All tensors of a request travel as one flat input, so that one custom
//! operation serves any number of them. The host keeps what it needs for the
//! backward pass under a tape, which is released when the operation is dropped.

use std::sync::{Arc, Mutex, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use harness_abi::{
    AbiError, AbiTensor, HostObject, Reply,
    std_types::{RSlice, RStr},
    wire::{Encoded, ImageRequest, TextRequest},
};

use crate::{
    Bench, Result,
    bench::{to_abi, unexpected},
};

/// Encodes a text request; the result has `shape`.
pub(crate) fn encode_text(
    bench: &Bench,
    request: &TextRequest,
    tensors: &[Tensor],
    shape: &[usize],
) -> Result<Tensor> {
    let json = serde_json::to_string(request)?;
    encode(bench, (Entry::Text, json), tensors, request.tape, shape)
}

/// Encodes an image request; the result has `shape`.
pub(crate) fn encode_image(
    bench: &Bench,
    request: &ImageRequest,
    tensors: &[Tensor],
    shape: &[usize],
) -> Result<Tensor> {
    let json = serde_json::to_string(request)?;
    encode(bench, (Entry::Image, json), tensors, request.tape, shape)
}

/// Which of the host's encoders.
#[derive(Clone, Copy)]
enum Entry {
    Text,
    Image,
}

impl Entry {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "encode_text",
            Self::Image => "encode_image",
        }
    }
}

fn encode(
    bench: &Bench,
    (entry, request): (Entry, String),
    tensors: &[Tensor],
    tape: bool,
    shape: &[usize],
) -> Result<Tensor> {
    let operation = HostEncode {
        host: bench.host(),
        entry,
        request,
        inputs: tensors.iter().map(|t| t.dims().to_vec()).collect(),
        output: shape.to_vec(),
        tape: OnceLock::new(),
        refusal: Arc::default(),
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
    let refusal = Arc::clone(&operation.refusal);
    let result = if tape {
        flat.apply_op1(operation)
    } else {
        flat.apply_op1_no_bwd(&operation)
    };
    // candle keeps only the text of an error; the host's own says more.
    let refused = refusal.lock().ok().and_then(|mut r| r.take());
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(result?),
    }
}

struct HostEncode {
    host: Arc<HostObject>,
    entry: Entry,
    request: String,
    inputs: Vec<Vec<usize>>,
    output: Vec<usize>,
    tape: OnceLock<u64>,
    refusal: Arc<Mutex<Option<AbiError>>>,
}

impl HostEncode {
    /// Asks the host; checks that the answer has the promised shape.
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
        let reply: Reply = match self.entry {
            Entry::Text => self.host.encode_text(request, tensors),
            Entry::Image => self.host.encode_image(request, tensors),
        }
        .into_result()?;
        let encoded: Encoded = serde_json::from_str(reply.json.as_str())?;
        if let Some(tape) = encoded.tape {
            // Set once: an operation runs its forward pass once.
            let _ = self.tape.set(tape);
        }
        match reply.tensors.into_iter().next() {
            Some(t) if t.checked_shape().as_ref() == Ok(&self.output) => Ok(t.values.into_vec()),
            _ => Err(unexpected(
                self.entry.name(),
                "features of the expected shape",
            )),
        }
    }

    fn pull_back(&self, cotangent: &Tensor) -> Result<Vec<f32>> {
        let Some(&tape) = self.tape.get() else {
            return Err(unexpected(self.entry.name(), "a tape"));
        };
        let cotangent = to_abi(cotangent)?;
        let gradients = self.host.vjp(tape, &cotangent).into_result()?;
        let mut flat = vec![];
        let mut shapes = vec![];
        for gradient in gradients {
            shapes.push(gradient.checked_shape().map_err(candle_core::Error::msg)?);
            flat.extend_from_slice(&gradient.values);
        }
        if shapes == self.inputs {
            Ok(flat)
        } else {
            Err(unexpected("vjp", "one gradient for every tensor"))
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
                if let Ok(mut refusal) = self.refusal.lock() {
                    *refusal = Some(error.into());
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
        let flat = self.pull_back(grad_res).map_err(candle_core::Error::wrap)?;
        Tensor::from_vec(flat, arg.shape(), arg.device()).map(Some)
    }
}
