//! What each side can ask of the other.
//!
//! New methods are added after the last one, with a default body, so that a
//! plugin built before still loads.

use abi_stable::{
    sabi_trait,
    std_types::{RArc, RBox, RResult, RSlice, RStr, RString, RVec},
};

use crate::{AbiError, AbiTensor, Reply};

/// One backbone with one task (data set, few-shot draw), as a plugin sees it.
///
/// During training the host refuses rows of the test split.
#[sabi_trait]
pub trait Host: Send + Sync {
    /// A [`Setting`](crate::wire::Setting) as JSON.
    fn setting(&self) -> RString;

    /// Encodes a [`TextRequest`](crate::wire::TextRequest). The reply's first
    /// tensor is `[G, C, E]`, unnormalised; its JSON an
    /// [`Encoded`](crate::wire::Encoded).
    fn encode_text(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError>;

    /// Encodes an [`ImageRequest`](crate::wire::ImageRequest). The reply's first
    /// tensor is `[B, E]`, unnormalised.
    fn encode_image(
        &self,
        request: RStr<'_>,
        tensors: RSlice<'_, AbiTensor>,
    ) -> RResult<Reply, AbiError>;

    /// Pulls a cotangent of an encoding back to every tensor of its request, in
    /// their order and shapes. A tape serves any number of times until released.
    fn vjp(&self, tape: u64, cotangent: &AbiTensor) -> RResult<RVec<AbiTensor>, AbiError>;

    /// Forgets a tape; unknown tapes are ignored.
    fn release(&self, tape: u64);

    /// Answers a [`Service`](crate::wire::Service) request.
    fn service(&self, request: RStr<'_>) -> RResult<Reply, AbiError>;

    /// Says how far training is. An error means: stop, with that error.
    #[sabi(last_prefix_field)]
    fn progress(&self, done: u64, total: u64) -> RResult<(), AbiError>;
}

/// The host as a plugin holds it: shared, for as long as the plugin likes.
pub type HostObject = Host_TO<'static, RArc<()>>;

/// A method of a plugin with its configuration fixed.
#[sabi_trait]
pub trait Method: Send + Sync {
    /// From a [`Setting`](crate::wire::Setting) alone, a
    /// [`Survey`](crate::wire::Survey): what the method would train there.
    fn survey(&self, setting: RStr<'_>) -> RResult<RString, AbiError>;

    /// Trains as a [`TrainJob`](crate::wire::TrainJob) says. JSON of the reply: a
    /// [`TrainSummary`](crate::wire::TrainSummary); bytes: the module file.
    fn train(&self, host: HostObject, job: RStr<'_>) -> RResult<Reply, AbiError>;

    /// One forward and backward pass of a module on the rows of a
    /// [`Probe`](crate::wire::Probe), without any step. Tensors of the reply:
    /// logits `[B, C]`, then a gradient for each name in its
    /// [`ProbeReply`](crate::wire::ProbeReply).
    fn probe(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
        probe: RStr<'_>,
    ) -> RResult<Reply, AbiError>;

    /// Puts a module, unchanged, into the backbone at hand.
    #[sabi(last_prefix_field)]
    fn inject(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
    ) -> RResult<PredictorObject, AbiError>;
}

/// A configured method.
pub type MethodObject = Method_TO<'static, RBox<()>>;

/// A module inside a backbone.
#[sabi_trait]
pub trait Predictor: Send + Sync {
    /// Logits `[B, C]` for rows of a split.
    fn logits(&self, split: RStr<'_>, rows: RSlice<'_, u32>) -> RResult<AbiTensor, AbiError>;

    /// The module file again, from the tensors that are in use.
    #[sabi(last_prefix_field)]
    fn module(&self) -> RResult<RVec<u8>, AbiError>;
}

/// A predictor of some plugin.
pub type PredictorObject = Predictor_TO<'static, RBox<()>>;
