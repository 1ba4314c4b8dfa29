//! The precision of a suite, as it is written.

use harness_backbone::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arithmetic of the towers on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComputePrecision {
    /// As on the CPU.
    F32,
    /// Factors of matrix products are rounded to 10 bits of mantissa.
    Tf32,
    /// Weights and activations in bf16; parameters, softmax, norms and losses in f32.
    Bf16,
}

impl From<ComputePrecision> for Precision {
    fn from(precision: ComputePrecision) -> Self {
        match precision {
            ComputePrecision::F32 => Self::F32,
            ComputePrecision::Tf32 => Self::Tf32,
            ComputePrecision::Bf16 => Self::Bf16,
        }
    }
}
