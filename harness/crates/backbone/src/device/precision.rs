//! With how many bits a device computes.

use candle_core::DType;

/// Arithmetic of a tower on a device. Trained parameters and the gradients that reach them are f32
/// in each of them; sums inside of norms and softmax too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// f32 throughout.
    #[default]
    F32,
    /// f32, but factors of matrix products are rounded to TF32 (10 bits of mantissa).
    Tf32,
    /// Weights and activations in bf16.
    Bf16,
}

impl Precision {
    /// All, as they are named in settings and reports.
    pub const NAMES: [(&str, Self); 3] = [
        ("f32", Self::F32),
        ("tf32", Self::Tf32),
        ("bf16", Self::Bf16),
    ];

    /// The name in settings and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }

    /// The type that weights and activations are kept in.
    pub(super) fn dtype(self) -> DType {
        match self {
            Self::F32 | Self::Tf32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }

    /// Tells candle's matrix products; the setting is the process's.
    #[cfg(feature = "cuda")]
    pub(super) fn apply(self) {
        candle_core::cuda::set_gemm_reduced_precision_f32(self == Self::Tf32);
    }

    /// Only CUDA has the setting.
    #[cfg(not(feature = "cuda"))]
    pub(super) fn apply(self) {}
}
