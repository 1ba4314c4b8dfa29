//! What a plugin implements that runs scripts.

use candle_core::Tensor;
use harness_abi::wire::{MethodCard, Probe, Script, ScriptFacts, Setting, Split};
use serde_json::Value;

use super::{Declared, Training};
use crate::{Host, Parameters, Result};

/// A script that was read, with its methods. Exported by
/// [`export_script_plugin!`](crate::export_script_plugin).
pub trait ScriptPlugin: Sized + Send + Sync + 'static {
    /// Reads a script. `nominal` is a setting for what cards say before there is a backbone.
    ///
    /// # Errors
    /// The script cannot be used.
    fn open(script: &Script, nominal: &Setting) -> Result<Self>;

    /// Name of the script, for reports and module files.
    fn name(&self) -> &str;

    /// Its version, as it states it.
    fn version(&self) -> &str;

    /// Its licence, an SPDX expression; empty if it states none.
    fn license(&self) -> &str;

    /// What decides what it computes.
    fn facts(&self) -> &ScriptFacts;

    /// Cards of its methods.
    fn methods(&self) -> &[MethodCard];

    /// A method with its configuration, a JSON object.
    ///
    /// # Errors
    /// There is no such method, or the configuration is invalid.
    fn method(&self, id: &str, config: &Value) -> Result<Box<dyn ScriptMethod>>;
}

/// A method of a script with its configuration fixed.
pub trait ScriptMethod: Send + Sync {
    /// Its id.
    fn id(&self) -> &str;

    /// Its configuration with all fields.
    fn config(&self) -> &Value;

    /// Parameters and recipe in a setting.
    ///
    /// # Errors
    /// The method cannot work there.
    fn declared(&self, setting: &Setting) -> Result<Declared>;

    /// Trains.
    ///
    /// # Errors
    /// The training fails.
    fn train(&self, host: &Host, training: &mut Training) -> Result<Trained>;

    /// One forward and backward pass.
    ///
    /// # Errors
    /// It fails.
    fn probe(&self, host: &Host, parameters: &Parameters, probe: &Probe) -> Result<Probed>;

    /// Puts a module into the host's backbone.
    ///
    /// # Errors
    /// It fails.
    fn inject(&self, host: &Host, parameters: &Parameters) -> Result<Box<dyn ScriptPredictor>>;
}

/// A module in a backbone.
pub trait ScriptPredictor: Send + Sync {
    /// Logits `[B, C]` of images of a split.
    ///
    /// # Errors
    /// They cannot be computed.
    fn logits(&self, host: &Host, split: Split, rows: &[u32]) -> Result<Tensor>;
}

/// The outcome of a training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// What is carried, by name.
    pub parameters: Parameters,
    /// Whether gradients were compared with finite differences of the loss.
    pub checked_gradients: bool,
}

/// The outcome of a probe.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The loss.
    pub loss: f64,
    /// `[B, C]`.
    pub logits: Tensor,
    /// Gradients of the trained parameters, by name.
    pub gradients: Parameters,
}
