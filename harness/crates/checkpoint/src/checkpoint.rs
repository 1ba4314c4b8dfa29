//! Converts a checkpoint.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::archive::Archive;
use super::error::ConvertError;
use super::pickle::{self, Refused};
use super::state::{self, State};
use super::{Options, write};

/// Result of a conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted {
    /// Shape of every tensor that was written.
    pub tensors: BTreeMap<String, Vec<u64>>,
    /// Bytes of the file.
    pub bytes: u64,
    /// Other entries of the checkpoint.
    pub left_out: Vec<String>,
    /// How names were changed, a line each.
    pub notes: Vec<String>,
}

/// Writes the weights of a PyTorch checkpoint as safetensors.
///
/// Nothing of the checkpoint is run, but it can still cost time and memory: call it in
/// a process with limits.
///
/// # Errors
/// It is not a checkpoint, it names what weights do not need, or an entry cannot be
/// written; then there is no file at `output`, or still the one that was there.
pub fn convert(input: &Path, output: &Path, options: &Options) -> Result<Converted, ConvertError> {
    let (mut archive, found) = open(input, options)?;
    let bytes = write::write(
        &mut archive,
        &found.tensors,
        &options.metadata,
        options.widen,
        output,
    )?;
    let tensors = found.tensors.into_iter();
    Ok(Converted {
        tensors: tensors.map(|(name, tensor)| (name, tensor.shape)).collect(),
        bytes,
        left_out: found.left_out.into_iter().collect(),
        notes: found.notes,
    })
}

/// A checkpoint's archive, and where in it the weights are.
pub(crate) fn open(input: &Path, options: &Options) -> Result<(Archive, State), ConvertError> {
    let mut archive = Archive::open(input)?;
    let program = archive.pickle()?;
    let refused = |Refused { at, reason }| ConvertError::Pickle {
        path: input.to_owned(),
        at,
        reason,
    };
    let (arena, root) = pickle::run(&program).map_err(refused)?;
    let found = state::find(&arena, root, options);
    let found = found.map_err(|mut entries| match entries.len() {
        1 => {
            let (entry, reason) = entries.remove(0);
            match entry.is_empty() {
                true => ConvertError::Archive {
                    path: input.to_owned(),
                    reason,
                },
                false => archive.entry(&entry, reason),
            }
        }
        _ => ConvertError::Entries {
            path: input.to_owned(),
            entries,
        },
    })?;
    Ok((archive, found))
}
