//! What the host keeps of an encoding until its gradients are computed.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use candle_core::{Device, Tensor, Var};
use harness_abi::{AbiError, AbiTensor, ErrorKind};

use super::task::internal;

/// An encoding's inputs, and the way to its differentiable result.
pub(super) struct Tape {
    inputs: Vec<Var>,
    shape: Vec<usize>,
    result: Encoding,
}

enum Encoding {
    /// All activations are kept.
    Held(Tensor),
    /// Parts of the first dimension, each encoded again when it is needed.
    Recomputed(Vec<Range<usize>>, Encode),
}

type Encode = Box<dyn Fn(Range<usize>) -> Result<Tensor, AbiError> + Send + Sync>;

impl Tape {
    pub(super) fn held(inputs: Vec<Var>, output: Tensor) -> Self {
        Self {
            inputs,
            shape: output.dims().to_vec(),
            result: Encoding::Held(output),
        }
    }

    /// `encode` gives rows of the result, which has `shape`.
    pub(super) fn recomputed(
        inputs: Vec<Var>,
        shape: Vec<usize>,
        parts: Vec<Range<usize>>,
        encode: impl Fn(Range<usize>) -> Result<Tensor, AbiError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inputs,
            shape,
            result: Encoding::Recomputed(parts, Box::new(encode)),
        }
    }

    fn pull_back(&self, cotangent: &Tensor) -> Result<Vec<AbiTensor>, AbiError> {
        let gradients = match &self.result {
            Encoding::Held(output) => gradients(&self.inputs, output, cotangent),
            Encoding::Recomputed(parts, encode) => {
                let mut sums: Option<Vec<Tensor>> = None;
                for part in parts {
                    let output = encode(part.clone())?;
                    let cotangent = cotangent.narrow(0, part.start, part.len());
                    let cotangent = cotangent.map_err(internal)?;
                    let new = gradients(&self.inputs, &output, &cotangent).map_err(internal)?;
                    sums = Some(match sums {
                        None => new,
                        Some(old) => {
                            let pairs = old.iter().zip(&new).map(|(old, new)| old + new);
                            pairs
                                .collect::<candle_core::Result<_>>()
                                .map_err(internal)?
                        }
                    });
                }
                Ok(sums.unwrap_or_default())
            }
        };
        let mut result = vec![];
        for gradient in gradients.map_err(internal)? {
            let values = gradient.flatten_all().and_then(|g| g.to_vec1());
            result.push(AbiTensor::new(gradient.dims(), values.map_err(internal)?));
        }
        Ok(result)
    }
}

/// All open tapes of a bench.
#[derive(Default)]
pub(super) struct Tapes {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    tapes: HashMap<u64, Tape>,
}

impl Tapes {
    pub(super) fn keep(&self, tape: Tape) -> u64 {
        let mut open = self.lock();
        open.next += 1;
        let id = open.next;
        open.tapes.insert(id, tape);
        id
    }

    pub(super) fn release(&self, id: u64) {
        self.lock().tapes.remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        self.lock().tapes.len()
    }

    /// Gradients of `sum(output · cotangent)` for every input of the tape.
    pub(super) fn vjp(&self, id: u64, cotangent: &AbiTensor) -> Result<Vec<AbiTensor>, AbiError> {
        let refuse = |text: String| AbiError::new(ErrorKind::Request, text);
        let open = self.lock();
        let tape = open
            .tapes
            .get(&id)
            .ok_or_else(|| refuse(format!("tape {id} does not exist or was released")))?;
        let shape = cotangent
            .checked_shape()
            .map_err(|error| refuse(error.to_string()))?;
        if shape != tape.shape {
            return Err(refuse(format!(
                "expected a cotangent of shape {:?}, found {shape:?}",
                tape.shape
            )));
        }
        let cotangent = Tensor::from_slice(&cotangent.values, shape, &Device::Cpu);
        tape.pull_back(&cotangent.map_err(internal)?)
    }

    /// A poisoned lock only means that an earlier call panicked; the map is intact.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gradients of `sum(output · cotangent)` in the order of the inputs.
fn gradients(
    inputs: &[Var],
    output: &Tensor,
    cotangent: &Tensor,
) -> candle_core::Result<Vec<Tensor>> {
    let store = (output * cotangent)?.sum_all()?.backward()?;
    let gradient = |input: &Var| match store.get(input) {
        Some(gradient) => Ok(gradient.clone()),
        None => candle_core::bail!("a tensor of the request got no gradient"),
    };
    inputs.iter().map(gradient).collect()
}
