//! The host as it answers requests in JSON, for those who pass them on.

use std::sync::Arc;

use harness_abi::{
    AbiTensor, HostObject, Reply,
    std_types::{RSlice, RStr},
    wire::Tower,
};

use crate::{Host, Result};

/// Takes the requests of [`wire`](crate::wire) as JSON.
#[derive(Clone)]
pub struct RawHost(Arc<HostObject>);

impl RawHost {
    /// Of a host.
    pub fn of(host: &Host) -> Self {
        Self(host.object())
    }

    /// Encodes a [`TextRequest`](crate::wire::TextRequest) or an
    /// [`ImageRequest`](crate::wire::ImageRequest); see the ABI's `Host`.
    ///
    /// # Errors
    /// The host refuses it.
    pub fn encode(&self, tower: Tower, request: &str, tensors: &[AbiTensor]) -> Result<Reply> {
        let (request, tensors) = (RStr::from_str(request), RSlice::from_slice(tensors));
        let reply = match tower {
            Tower::Text => self.0.encode_text(request, tensors),
            Tower::Image => self.0.encode_image(request, tensors),
        };
        Ok(reply.into_result()?)
    }

    /// Gradients of the tensors of an encoding request, from that of its result.
    ///
    /// # Errors
    /// There is no such tape, or a wrong shape.
    pub fn vjp(&self, tape: u64, cotangent: &AbiTensor) -> Result<Vec<AbiTensor>> {
        Ok(self.0.vjp(tape, cotangent).into_result()?.into_vec())
    }

    /// Frees a tape.
    pub fn release(&self, tape: u64) {
        self.0.release(tape);
    }

    /// Answers a [`Service`](crate::wire::Service).
    ///
    /// # Errors
    /// The host refuses it.
    pub fn service(&self, request: &str) -> Result<Reply> {
        Ok(self.0.service(RStr::from_str(request)).into_result()?)
    }
}
