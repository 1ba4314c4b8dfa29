//! Number types of PyTorch's storages, and their names in safetensors.

use half::{bf16, f16};

/// The type of a tensor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Dtype {
    /// The type behind a storage class of `torch`; quantised and complex ones have
    /// no place in safetensors.
    pub(crate) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "DoubleStorage" => Self::F64,
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Bytes of one number.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I64 => "I64",
            Self::I32 => "I32",
            Self::I16 => "I16",
            Self::I8 => "I8",
            Self::U8 => "U8",
            Self::Bool => "BOOL",
        }
    }

    /// Half-precision numbers as single ones, exactly; `None` for other types.
    pub(crate) fn widen(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let single: fn(u16) -> f32 = match self {
            Self::F16 => |bits| f16::from_bits(bits).to_f32(),
            Self::Bf16 => |bits| bf16::from_bits(bits).to_f32(),
            _ => return None,
        };
        let (halves, _) = bytes.as_chunks::<2>();
        let singles = halves.iter().map(|half| single(u16::from_le_bytes(*half)));
        Some(singles.flat_map(f32::to_le_bytes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_widen_exactly() {
        for (half, single) in [
            (0x3c00_u16, 1.0_f32),
            (0xc000, -2.0),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
        ] {
            let wide = Dtype::F16.widen(&half.to_le_bytes()).unwrap();
            assert_eq!(wide, single.to_le_bytes());
        }
        let wide = Dtype::Bf16.widen(&[0x80, 0x3f]).unwrap();
        assert_eq!(wide, 1.0_f32.to_le_bytes());
        assert_eq!(Dtype::F32.widen(&[0; 4]), None);
    }
}
