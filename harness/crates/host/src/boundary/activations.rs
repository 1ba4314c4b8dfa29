//! Activations of images, kept between the steps of a training.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use candle_core::Tensor;
use harness_abi::{
    AbiError,
    wire::{ImageStage, Split},
};

use super::task::internal;

/// Bytes that are kept; what does not fit is computed each time.
const BUDGET: usize = 512 << 20;
/// Images that go through the tower at once.
const CHUNK: usize = 16;

type Key = (Split, u32, u32, ImageStage);

/// Activations by image, of one backbone and task.
#[derive(Debug, Default)]
pub(super) struct Activations {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tensors: HashMap<Key, Tensor>,
    bytes: usize,
}

impl Activations {
    /// One tensor `[1, ..]` for each row, from `compute` for those that are not kept.
    pub(super) fn get(
        &self,
        (split, view): (Split, u32),
        rows: &[u32],
        stage: ImageStage,
        compute: &dyn Fn(&[u32]) -> Result<Tensor, AbiError>,
    ) -> Result<Vec<Tensor>, AbiError> {
        let key = |row: u32| (split, view, row, stage);
        let mut fresh: HashMap<u32, Tensor> = HashMap::new();
        let missing: Vec<u32> = {
            let kept = self.lock();
            let unknown = |row: &u32| !kept.tensors.contains_key(&key(*row));
            let mut missing = vec![];
            for row in rows.iter().copied().filter(unknown) {
                if !missing.contains(&row) {
                    missing.push(row);
                }
            }
            missing
        };
        for chunk in missing.chunks(CHUNK) {
            let tensor = compute(chunk)?;
            for (at, &row) in chunk.iter().enumerate() {
                let one = tensor.narrow(0, at, 1).and_then(|one| one.copy());
                fresh.insert(row, one.map_err(internal)?);
            }
        }
        let mut kept = self.lock();
        let found = rows.iter().map(|&row| match fresh.get(&row) {
            Some(tensor) => tensor.clone(),
            None => kept.tensors[&key(row)].clone(),
        });
        let found = found.collect();
        for (row, tensor) in fresh {
            let bytes = 4 * tensor.elem_count();
            if kept.bytes + bytes <= BUDGET && kept.tensors.insert(key(row), tensor).is_none() {
                kept.bytes += bytes;
            }
        }
        Ok(found)
    }

    /// A poisoned lock only means that an earlier call panicked; what is kept is whole.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use candle_core::Device;

    use super::*;

    #[test]
    fn an_image_is_computed_once() {
        let asked = RefCell::new(vec![]);
        let compute = |rows: &[u32]| {
            asked.borrow_mut().extend_from_slice(rows);
            let values: Vec<f32> = rows.iter().map(|&row| row as f32).collect();
            Tensor::from_vec(values, (rows.len(), 1), &Device::Cpu).map_err(internal)
        };
        let activations = Activations::default();
        let get = |rows: &[u32]| {
            let stage = ImageStage::BeforeProjection;
            let parts = activations
                .get((Split::Train, 0), rows, stage, &compute)
                .unwrap();
            let all = Tensor::cat(&parts, 0).unwrap().flatten_all().unwrap();
            all.to_vec1::<f32>().unwrap()
        };
        assert_eq!(get(&[3, 1]), [3.0, 1.0]);
        assert_eq!(get(&[1, 2, 3, 2]), [1.0, 2.0, 3.0, 2.0]);
        assert_eq!(asked.into_inner(), [3, 1, 2]);
    }
}
