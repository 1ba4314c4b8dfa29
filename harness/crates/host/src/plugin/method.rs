//! A plugin's method and predictor, with their JSON read and checked.

use harness_abi::{
    AbiTensor, HostObject, MethodObject, PredictorObject,
    std_types::{RSlice, RStr},
    wire::{Probe, ProbeReply, Setting, Split, Survey, TrainJob, TrainSummary},
};

use super::PluginError;

/// A method with its configuration.
pub struct MethodHandle {
    method: MethodObject,
}

/// A trained module.
#[derive(Clone, Debug)]
pub struct TrainedModule {
    pub summary: TrainSummary,
    /// The module file.
    pub module: Vec<u8>,
}

impl MethodHandle {
    pub(super) fn new(method: MethodObject) -> Self {
        Self { method }
    }

    /// What the method would train in a setting, or why it cannot.
    pub fn survey(&self, setting: &Setting) -> Result<Survey, PluginError> {
        let setting = serde_json::to_string(setting)?;
        let json = self.method.survey(RStr::from_str(&setting)).into_result()?;
        Ok(serde_json::from_str(json.as_str())?)
    }

    pub fn train(&self, host: HostObject, job: &TrainJob) -> Result<TrainedModule, PluginError> {
        let job = serde_json::to_string(job)?;
        let reply = self
            .method
            .train(host, RStr::from_str(&job))
            .into_result()?;
        Ok(TrainedModule {
            summary: serde_json::from_str(reply.json.as_str())?,
            module: reply.bytes.into_vec(),
        })
    }

    /// Loss, logits and gradients of a module on some rows.
    pub fn probe(
        &self,
        host: HostObject,
        module: &[u8],
        probe: &Probe,
    ) -> Result<(ProbeReply, Vec<AbiTensor>), PluginError> {
        let probe = serde_json::to_string(probe)?;
        let reply = self
            .method
            .probe(host, RSlice::from_slice(module), RStr::from_str(&probe))
            .into_result()?;
        let answer: ProbeReply = serde_json::from_str(reply.json.as_str())?;
        if reply.tensors.len() == answer.gradients.len() + 1 {
            Ok((answer, reply.tensors.into_vec()))
        } else {
            Err(PluginError::Malformed(format!(
                "probe: expected {} tensors, found {}",
                answer.gradients.len() + 1,
                reply.tensors.len()
            )))
        }
    }

    /// Puts a module into the host's backbone.
    pub fn inject(&self, host: HostObject, module: &[u8]) -> Result<PredictorHandle, PluginError> {
        let predictor = self
            .method
            .inject(host, RSlice::from_slice(module))
            .into_result()?;
        Ok(PredictorHandle { predictor })
    }
}

/// A module inside a backbone.
pub struct PredictorHandle {
    predictor: PredictorObject,
}

impl PredictorHandle {
    /// Logits `[rows, classes]` in row-major order; wrong shapes and numbers that
    /// are not finite are errors.
    pub fn logits(
        &self,
        split: Split,
        rows: &[u32],
        classes: usize,
    ) -> Result<Vec<f32>, PluginError> {
        let logits = self
            .predictor
            .logits(RStr::from_str(split.as_str()), RSlice::from_slice(rows))
            .into_result()?;
        let expected = [rows.len(), classes];
        match logits.checked_shape() {
            Ok(shape) if shape == expected => {}
            Ok(shape) => {
                return Err(PluginError::Malformed(format!(
                    "expected logits of shape {expected:?}, found {shape:?}"
                )));
            }
            Err(reason) => return Err(PluginError::Malformed(format!("logits: {reason}"))),
        }
        let values = logits.values.into_vec();
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(PluginError::Failed(format!(
                "the logits hold {} (row {}, class {})",
                values[at],
                rows[at / classes],
                at % classes
            ))),
            None => Ok(values),
        }
    }

    /// The module file again, from the tensors in use.
    pub fn module(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.predictor.module().into_result()?.into_vec())
    }
}
