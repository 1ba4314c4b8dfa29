//! The tensors of a checkpoint in single precision, taken by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use half::{bf16, f16};
use safetensors::{Dtype as Stored, SafeTensors};

use crate::checkpoint::open;
use crate::error::ConvertError;
use crate::options::Options;
use crate::settings::Setting;
use crate::write;

/// A name without the attribute that whole models hold their prompt learner in.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("prompt_learner.").unwrap_or(name)
}

/// Name of a tensor that is a checkpoint's only value.
pub(crate) const ROOT: &str = "tensor";
/// Parts of whole models that are the frozen backbone, unless a name contains `VPT`.
const FROZEN: [&str; 4] = [
    "image_encoder.",
    "text_encoder.",
    "ZS_image_encoder.",
    "logit_scale",
];

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weight {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Weight {
    /// Both sides of a matrix.
    pub(super) fn sides(&self, name: &str) -> Result<[usize; 2], String> {
        match *self.shape.as_slice() {
            [rows, columns] => Ok([rows, columns]),
            _ => Err(format!(
                "`{name}`: expected a matrix, found shape {:?}",
                self.shape
            )),
        }
    }

    /// The transpose of a matrix.
    pub(super) fn transposed(&self, name: &str) -> Result<Self, String> {
        let [rows, columns] = self.sides(name)?;
        let value = |at: usize| self.values[at % rows * columns + at / rows];
        Ok(Self {
            shape: vec![columns, rows],
            values: (0..self.values.len()).map(value).collect(),
        })
    }

    /// A vector of one number.
    pub(super) fn number(value: f32) -> Self {
        Self {
            shape: vec![1],
            values: vec![value],
        }
    }
}

/// The tensors of a checkpoint that are not yet taken.
#[derive(Debug, Default)]
pub(super) struct Weights {
    tensors: BTreeMap<String, Weight>,
    pub(super) left_out: BTreeSet<String>,
    pub(super) notes: Vec<String>,
    /// What the file says of its training.
    pub(super) settings: BTreeMap<String, Setting>,
}

impl Weights {
    /// Reads a PyTorch checkpoint or a safetensors file, without the frozen backbone.
    pub(super) fn read(input: &Path, options: &Options) -> Result<Self, ConvertError> {
        match is_safetensors(input) {
            true => Self::of_safetensors(input),
            false => Self::of_checkpoint(input, options),
        }
    }

    fn of_checkpoint(input: &Path, options: &Options) -> Result<Self, ConvertError> {
        let (mut archive, state) = open(input, options)?;
        let mut weights = Self {
            left_out: state.left_out,
            notes: state.notes,
            settings: state.settings,
            ..Self::default()
        };
        let mut frozen = BTreeMap::new();
        for (name, tensor) in &state.tensors {
            if let Some(part) = frozen_part(name) {
                *frozen.entry(part).or_default() += 1;
                continue;
            }
            let values = write::read_single(&mut archive, name, tensor)?;
            let shape = tensor.shape.iter().map(|side| *side as usize).collect();
            weights.insert(name, Weight { shape, values });
        }
        weights.pass_over(&frozen);
        Ok(weights)
    }

    fn of_safetensors(input: &Path) -> Result<Self, ConvertError> {
        let fail = |reason: String| ConvertError::Archive {
            path: input.to_owned(),
            reason,
        };
        let bytes = fs_err::read(input)?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| fail(format!("not a safetensors file: {error}")))?;
        let mut weights = Self::default();
        let mut frozen = BTreeMap::new();
        for (name, view) in file.iter() {
            if let Some(part) = frozen_part(name) {
                *frozen.entry(part).or_default() += 1;
                continue;
            }
            let values = single(view.dtype(), view.data())
                .ok_or_else(|| fail(format!("`{name}`: numbers of type {:?}", view.dtype())))?;
            let shape = view.shape().to_vec();
            weights.insert(name, Weight { shape, values });
        }
        weights.pass_over(&frozen);
        Ok(weights)
    }

    fn insert(&mut self, name: &str, weight: Weight) {
        self.tensors.insert(plain(name).to_owned(), weight);
    }

    fn pass_over(&mut self, frozen: &BTreeMap<&str, usize>) {
        let parts = frozen.iter().map(|(part, count)| match count {
            1 => (*part).to_owned(),
            count => format!("{part} ({count} tensors)"),
        });
        self.left_out.extend(parts);
    }

    /// Names of what is left.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Takes a tensor, all of whose numbers are finite.
    pub(super) fn take(&mut self, name: &str) -> Result<Weight, String> {
        let Some(weight) = self.tensors.remove(name) else {
            return Err(format!("no tensor `{name}`"));
        };
        match weight.values.iter().find(|number| !number.is_finite()) {
            Some(bad) => Err(format!("`{name}` contains {bad}")),
            None => Ok(weight),
        }
    }

    /// Takes the tensors `before` N `after`, for N from `first` without a gap.
    pub(super) fn take_numbered(
        &mut self,
        before: &str,
        first: usize,
        after: &str,
    ) -> Result<Vec<Weight>, String> {
        let number = |name: &str| -> Option<usize> {
            name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
        };
        let mut numbers: Vec<usize> = self.names().filter_map(number).collect();
        numbers.sort_unstable();
        if let Some((expected, found)) = (first..)
            .zip(&numbers)
            .find(|(expected, found)| expected != *found)
        {
            return Err(format!(
                "`{before}{expected}{after}` is missing, `{before}{found}{after}` is there"
            ));
        }
        let names = numbers
            .iter()
            .map(|number| format!("{before}{number}{after}"));
        names.map(|name| self.take(&name)).collect()
    }

    /// Leaves a tensor out, if it is there.
    pub(super) fn leave_out(&mut self, name: &str) -> Option<Weight> {
        let weight = self.tensors.remove(name)?;
        self.left_out.insert(name.to_owned());
        Some(weight)
    }
}

/// The part of the frozen backbone that a tensor belongs to.
fn frozen_part(name: &str) -> Option<&'static str> {
    let name = plain(name);
    let part = FROZEN.into_iter().find(|part| name.starts_with(part))?;
    let is_trained = name.contains("VPT") && !part.starts_with("ZS");
    (!is_trained).then(|| part.trim_end_matches('.'))
}

/// Whether a file begins as safetensors do: the length of a header, and the header's brace.
pub(crate) fn is_safetensors(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 9];
    let read = fs_err::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start[8] == b'{'
}

/// Numbers as single precision; `None` for types that no weight has.
fn single(dtype: Stored, bytes: &[u8]) -> Option<Vec<f32>> {
    let halves = |to: fn(u16) -> f32| {
        let (halves, _) = bytes.as_chunks::<2>();
        halves
            .iter()
            .map(|half| to(u16::from_le_bytes(*half)))
            .collect()
    };
    Some(match dtype {
        Stored::F32 => {
            let (numbers, _) = bytes.as_chunks::<4>();
            numbers
                .iter()
                .map(|number| f32::from_le_bytes(*number))
                .collect()
        }
        Stored::F16 => halves(|bits| f16::from_bits(bits).to_f32()),
        Stored::BF16 => halves(|bits| bf16::from_bits(bits).to_f32()),
        _ => return None,
    })
}
