//! How features lie on the disk.

use std::fmt;

use half::f16;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

/// Number format of stored features. Readers get `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Bit for bit what the tower gave.
    #[default]
    F32,
    /// Half the size; each number is rounded to 11 significant bits.
    F16,
}

impl Precision {
    /// `f32` or `f16`.
    pub fn as_str(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
    }

    pub(super) fn dtype(self) -> Dtype {
        match self {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        }
    }

    /// Little-endian bytes of the numbers.
    pub(super) fn encode(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Precision::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Precision::F16 => numbers
                .iter()
                .flat_map(|x| f16::from_f32(*x).to_le_bytes())
                .collect(),
        }
    }

    /// A finite number that becomes infinite.
    pub(super) fn overflow(self, numbers: &[f32]) -> Option<f32> {
        let is_lost = |x: &&f32| x.is_finite() && !f16::from_f32(**x).is_finite();
        match self {
            Precision::F32 => None,
            Precision::F16 => numbers.iter().find(is_lost).copied(),
        }
    }

    /// The numbers in little-endian bytes; a rest that is no whole number is left out.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Precision::F32 => {
                let (words, _) = bytes.as_chunks::<4>();
                words.iter().map(|word| f32::from_le_bytes(*word)).collect()
            }
            Precision::F16 => {
                let (words, _) = bytes.as_chunks::<2>();
                let widened = words.iter().map(|word| f16::from_le_bytes(*word).to_f32());
                widened.collect()
            }
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_precision_loses_large_numbers() {
        let numbers = [1.0, -65504.0, 7e4, f32::INFINITY];
        assert_eq!(Precision::F32.overflow(&numbers), None);
        assert_eq!(Precision::F16.overflow(&numbers), Some(7e4));
        assert_eq!(Precision::F16.overflow(&numbers[..2]), None);
    }
}
