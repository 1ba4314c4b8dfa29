//! A matrix of image features.

use super::StoreError;

/// One row of `width` numbers per image, row-major, in the order of the data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub rows: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

impl Features {
    /// Checks that `data` has `rows * width` numbers.
    ///
    /// # Errors
    /// [`StoreError::Shape`] if not.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.rows.checked_mul(self.width) == Some(self.data.len()) {
            return Ok(());
        }
        Err(StoreError::Shape {
            rows: self.rows,
            width: self.width,
            found: self.data.len(),
        })
    }
}
