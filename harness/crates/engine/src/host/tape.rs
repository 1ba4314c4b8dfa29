//! What the host keeps of an encoding until its gradients have been taken.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use candle_core::{Device, Tensor, Var};
use harness_abi::{AbiError, AbiTensor, ErrorKind};

use super::task::internal;

/// An encoding's inputs and its differentiable result.
struct Tape {
    inputs: Vec<Var>,
    output: Tensor,
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
    pub(super) fn keep(&self, inputs: Vec<Var>, output: Tensor) -> u64 {
        let mut open = self.lock();
        open.next += 1;
        let id = open.next;
        open.tapes.insert(id, Tape { inputs, output });
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
        let shape = cotangent.checked_shape().map_err(&refuse)?;
        if shape != tape.output.dims() {
            return Err(refuse(format!(
                "expected a cotangent of shape {:?}, found {shape:?}",
                tape.output.dims()
            )));
        }
        let cotangent = Tensor::from_slice(&cotangent.values, shape, &Device::Cpu);
        pull_back(tape, &cotangent.map_err(internal)?).map_err(internal)
    }

    /// A poisoned lock only means that an earlier call panicked; the map is whole.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pull_back(tape: &Tape, cotangent: &Tensor) -> candle_core::Result<Vec<AbiTensor>> {
    let gradients = (&tape.output * cotangent)?.sum_all()?.backward()?;
    let mut result = vec![];
    for input in &tape.inputs {
        let gradient = match gradients.get(input) {
            Some(gradient) => gradient.flatten_all()?.to_vec1()?,
            None => candle_core::bail!("a tensor of the request got no gradient"),
        };
        result.push(AbiTensor::new(input.dims(), gradient));
    }
    Ok(result)
}
