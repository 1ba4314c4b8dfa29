//! Buffers that are used again from step to step: fresh pages cost as much as the arithmetic on them.

use std::sync::{Arc, Mutex, PoisonError};

/// Free buffers of a tower.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<Vec<f32>>>,
}

/// Most free buffers that are kept.
const MOST: usize = 512;

impl Pool {
    /// A buffer of `length` values that may be anything.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = free
            .iter()
            .enumerate()
            .filter(|(_, b)| b.capacity() >= length && b.capacity() / 2 <= length)
            .min_by_key(|(_, b)| b.capacity());
        let mut values = match fits.map(|(i, _)| i) {
            Some(i) => free.swap_remove(i),
            None => Vec::new(),
        };
        drop(free);
        if values.capacity() < length {
            values = vec![0.0; length];
        }
        values.resize(length, 0.0);
        Buffer {
            values,
            pool: Arc::clone(self),
        }
    }

    /// A buffer of zeros.
    pub(crate) fn zeros(self: &Arc<Self>, length: usize) -> Buffer {
        let mut buffer = self.take(length);
        buffer.fill(0.0);
        buffer
    }
}

/// Values that return to their pool.
pub(crate) struct Buffer {
    values: Vec<f32>,
    pool: Arc<Pool>,
}

impl std::ops::Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        let mut free = self
            .pool
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if free.len() < MOST && values.capacity() > 0 {
            free.push(values);
        }
    }
}
