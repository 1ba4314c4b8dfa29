//! The data that crosses.

use abi_stable::{
    StableAbi,
    std_types::{RString, RVec},
};

/// A dense tensor: `shape` and its values in row-major order.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub struct AbiTensor {
    pub shape: RVec<u64>,
    pub values: RVec<f32>,
}

impl AbiTensor {
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        Self {
            shape: shape.iter().map(|&n| n as u64).collect(),
            values: RVec::from(values),
        }
    }

    /// The shape, when it agrees with the number of values.
    pub fn checked_shape(&self) -> Result<Vec<usize>, String> {
        let mut count: usize = 1;
        let mut shape = Vec::with_capacity(self.shape.len());
        for &n in &self.shape {
            let n = usize::try_from(n).map_err(|_| format!("dimension {n} is too large"))?;
            count = count
                .checked_mul(n)
                .ok_or_else(|| format!("shape {:?} is too large", self.shape))?;
            shape.push(n);
        }
        if count == self.values.len() {
            Ok(shape)
        } else {
            Err(format!(
                "shape {shape:?} needs {count} values, found {}",
                self.values.len()
            ))
        }
    }
}

/// An answer: JSON for what has structure, tensors for numbers, bytes for files.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, StableAbi)]
pub struct Reply {
    pub json: RString,
    pub tensors: RVec<AbiTensor>,
    pub bytes: RVec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_lies_about_its_values_is_refused() {
        let honest = AbiTensor::new(&[2, 3], vec![0.0; 6]);
        assert_eq!(honest.checked_shape(), Ok(vec![2, 3]));
        let short = AbiTensor::new(&[2, 3], vec![0.0; 5]);
        assert_eq!(
            short.checked_shape().unwrap_err(),
            "shape [2, 3] needs 6 values, found 5"
        );
        let huge = AbiTensor::new(&[usize::MAX, 2], vec![]);
        assert!(huge.checked_shape().is_err());
    }
}
