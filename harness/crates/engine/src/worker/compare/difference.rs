//! How far what a method computes is from what is expected.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Tensor;

use super::STEPS;
use super::job::failed;
use crate::job::Compared;
use crate::worker::error::JobError;

/// Magnitudes below this count as this: gradients that are zero but for rounding have no scale.
const SMALLEST_SCALE: f32 = 0.01;

/// Where two tensors of a shape differ most.
pub(super) struct Difference {
    at: usize,
    expected: f32,
    found: f32,
    scale: f32,
}

impl Difference {
    pub(super) fn between(expected: &Tensor, found: &Tensor) -> Result<Self, JobError> {
        let expected: Vec<f32> = expected.flatten_all()?.to_vec1()?;
        let found: Vec<f32> = found.flatten_all()?.to_vec1()?;
        let scale = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
        // What is not a number differs most.
        let distance = |at: usize| match (found[at] - expected[at]).abs() {
            distance if distance.is_nan() => f32::INFINITY,
            distance => distance,
        };
        let farthest = (0..expected.len()).max_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        let at = farthest.unwrap_or_default();
        let value = |of: &[f32]| of.get(at).copied().unwrap_or_default();
        Ok(Self {
            at,
            expected: value(&expected),
            found: value(&found),
            scale,
        })
    }

    pub(super) fn relative(&self) -> f32 {
        let distance = (self.expected - self.found).abs();
        distance / self.scale.max(SMALLEST_SCALE)
    }
}

/// Every result that a file has, beside what was found.
pub(super) fn differences(
    path: &Path,
    file: &HashMap<String, Tensor>,
    found: &BTreeMap<String, Tensor>,
    tolerance: f32,
) -> Result<Vec<Compared>, JobError> {
    let is_result = |name: &str| {
        matches!(name, "logits" | "loss")
            || name.starts_with("grad.")
            || name.starts_with(&format!("after{STEPS}."))
    };
    let expected: BTreeMap<_, _> = file.iter().filter(|(name, _)| is_result(name)).collect();
    if expected.is_empty() {
        return Err(failed(format!(
            "{}: nothing to compare; expected one of {:?}",
            path.display(),
            found.keys().collect::<Vec<_>>()
        )));
    }
    let compared = expected.into_iter().map(|(name, expected)| {
        let Some(found) = found.get(name) else {
            return Err(failed(format!(
                "{}: {name}: the method computes no such tensor, only {:?}",
                path.display(),
                found.keys().collect::<Vec<_>>()
            )));
        };
        if expected.dims() != found.dims() {
            return Err(failed(format!(
                "{}: {name}: expected the shape {:?}, found {:?}",
                path.display(),
                expected.dims(),
                found.dims()
            )));
        }
        let difference = Difference::between(expected, found)?;
        Ok(Compared {
            name: name.clone(),
            shape: expected.dims().to_vec(),
            at: position(difference.at, expected.dims()),
            expected: difference.expected,
            found: difference.found,
            scale: difference.scale,
            agrees: difference.relative() <= tolerance,
        })
    });
    compared.collect()
}

/// The index of a value in each dimension.
fn position(at: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = at;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let here = rest % (*size).max(1);
            rest /= (*size).max(1);
            here
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn tensors(names: &[(&str, [f32; 4])]) -> Vec<(String, Tensor)> {
        let tensor = |values: &[f32; 4]| Tensor::from_slice(values, (2, 2), &Device::Cpu).unwrap();
        let named = names.iter();
        named
            .map(|(name, v)| ((*name).to_owned(), tensor(v)))
            .collect()
    }

    fn compare(expected: [f32; 4], found: [f32; 4]) -> Compared {
        let expected = tensors(&[("logits", expected)]).into_iter().collect();
        let found = tensors(&[("logits", found)]).into_iter().collect();
        let mut all = differences(Path::new("f"), &expected, &found, 1e-4).unwrap();
        all.remove(0)
    }

    #[test]
    fn the_largest_difference_is_placed_and_judged_by_the_tensors_scale() {
        let near = compare([10.0, 0.0, 0.0, 1.0], [10.0, 0.0009, 0.0, 1.0]);
        assert!(near.agrees, "{near:?}");
        let far = compare([10.0, 0.0, 0.0, 1.0], [10.0, 0.0, 0.0011, 1.0]);
        assert!(!far.agrees);
        assert_eq!((far.at.as_slice(), far.found), (&[1, 0][..], 0.0011));
    }

    #[test]
    fn rounding_around_zero_agrees_and_what_is_no_number_does_not() {
        assert!(compare([1e-9; 4], [-1e-9; 4]).agrees);
        assert!(!compare([1.0; 4], [1.0, f32::NAN, 1.0, 1.0]).agrees);
    }

    #[test]
    fn names_and_shapes_that_do_not_fit_are_named() {
        let found = tensors(&[("logits", [0.0; 4])]).into_iter().collect();
        for (name, said) in [
            ("grad.ctx", "computes no such tensor"),
            ("labels", "nothing to compare"),
        ] {
            let expected = tensors(&[(name, [0.0; 4])]).into_iter().collect();
            let error = differences(Path::new("f"), &expected, &found, 1e-4).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
