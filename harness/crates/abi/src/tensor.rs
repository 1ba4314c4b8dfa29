//! Tensors and replies that cross the boundary.

use abi_stable::{
    StableAbi,
    std_types::{RString, RVec},
};
use thiserror::Error;

/// A dense tensor.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub struct AbiTensor {
    /// Dimensions, outermost first.
    pub shape: RVec<u64>,
    /// Values in row-major order.
    pub values: RVec<f32>,
}

/// A shape that does not describe its values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// More elements than fit in memory.
    #[error("shape {shape:?} is too large")]
    TooLarge {
        /// The shape.
        shape: Vec<u64>,
    },
    /// Another number of values.
    #[error("shape {shape:?} needs {expected} values, found {found}")]
    Count {
        /// The shape.
        shape: Vec<usize>,
        /// Product of its dimensions.
        expected: usize,
        /// Number of values.
        found: usize,
    },
}

impl AbiTensor {
    /// A tensor; the shape is checked by [`checked_shape`](Self::checked_shape).
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        Self {
            shape: shape.iter().map(|&n| n as u64).collect(),
            values: RVec::from(values),
        }
    }

    /// The shape.
    ///
    /// # Errors
    /// It does not match the number of values.
    pub fn checked_shape(&self) -> Result<Vec<usize>, ShapeError> {
        let too_large = || ShapeError::TooLarge {
            shape: self.shape.to_vec(),
        };
        let dims = self.shape.iter().map(|&n| usize::try_from(n));
        let shape: Vec<usize> = dims.collect::<Result<_, _>>().map_err(|_| too_large())?;
        let expected = shape
            .iter()
            .try_fold(1_usize, |count, &n| count.checked_mul(n))
            .ok_or_else(too_large)?;
        let found = self.values.len();
        if expected == found {
            Ok(shape)
        } else {
            Err(ShapeError::Count {
                shape,
                expected,
                found,
            })
        }
    }
}

/// A reply. Each request says which parts it uses.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct Reply {
    /// Structured data as JSON.
    pub json: RString,
    /// Numbers.
    pub tensors: RVec<AbiTensor>,
    /// A file.
    pub bytes: RVec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_must_match_its_values() {
        let matching = AbiTensor::new(&[2, 3], vec![0.0; 6]);
        assert_eq!(matching.checked_shape(), Ok(vec![2, 3]));
        let short = AbiTensor::new(&[2, 3], vec![0.0; 5]);
        assert_eq!(
            short.checked_shape().unwrap_err().to_string(),
            "shape [2, 3] needs 6 values, found 5"
        );
        let huge = AbiTensor::new(&[usize::MAX, 2], vec![]);
        assert!(matches!(
            huge.checked_shape(),
            Err(ShapeError::TooLarge { .. })
        ));
    }
}
