//! Names and shapes of a state dict, without its values.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;

use super::rope_buffers::{is_rope_buffer, is_rope_table};
use crate::error::{BackboneError, Result};

/// The names and shapes of a state dict.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    /// The file, or a name for tensors in memory.
    pub(crate) origin: String,
    shapes: BTreeMap<String, Vec<usize>>,
    notes: Vec<String>,
}

impl Catalog {
    pub(crate) fn new(origin: String, shapes: BTreeMap<String, Vec<usize>>) -> Self {
        Self {
            origin,
            shapes,
            notes: Vec::new(),
        }
    }

    /// With a line about how names were changed.
    pub(crate) fn noted(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    pub(crate) fn of(origin: String, tensors: &HashMap<String, Tensor>) -> Self {
        let shapes = tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.dims().to_vec()));
        Self::new(origin, shapes.collect())
    }

    /// What is read otherwise than it is stored, a line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let buffers = self.shapes.keys();
        let buffers = buffers.filter(|name| is_rope_buffer(name) && !is_rope_table(name));
        let buffers: Vec<&String> = buffers.collect();
        if let Some(first) = buffers.first() {
            let count = buffers.len();
            notes.push(format!(
                "{count} buffers of the rotary embedding, such as `{first}`, are not read; they are computed"
            ));
        }
        notes
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Every name with its shape.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (&String, &Vec<usize>)> {
        self.shapes.iter()
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// A few names, for messages.
    pub(crate) fn sample(&self) -> String {
        let names: Vec<&str> = self.shapes.keys().take(4).map(String::as_str).collect();
        match names.as_slice() {
            [] => "no tensor at all".to_owned(),
            names => format!("{} tensors: {}, ..", self.shapes.len(), names.join(", ")),
        }
    }

    /// The shape of `name`, which must have `N` dimensions, none of them zero.
    pub(crate) fn dims<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let Some(shape) = self.shapes.get(name) else {
            return Err(self.error(name, format!("{N} dimensions"), "no such tensor".into()));
        };
        match <[usize; N]>::try_from(shape.as_slice()) {
            Ok(dims) if !dims.contains(&0) => Ok(dims),
            _ => Err(self.error(
                name,
                format!("{N} nonzero dimensions"),
                format!("{shape:?}"),
            )),
        }
    }

    /// Number of blocks under `prefix`: the names are `{prefix}{index}.`, indices from 0 without gap.
    pub(crate) fn blocks(&self, prefix: &str) -> Result<usize> {
        let mut indices: Vec<usize> = self
            .shapes
            .range(prefix.to_owned()..)
            .take_while(|(name, _)| name.starts_with(prefix))
            .filter_map(|(name, _)| name[prefix.len()..].split('.').next()?.parse().ok())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        if indices.is_empty() || indices.last() != Some(&(indices.len() - 1)) {
            return Err(self.error(
                &format!("{prefix}N"),
                "blocks 0, 1, .. without a gap".into(),
                format!("{indices:?}"),
            ));
        }
        Ok(indices.len())
    }

    pub(crate) fn error(&self, name: &str, expected: String, found: String) -> BackboneError {
        BackboneError::Tensor {
            origin: self.origin.clone(),
            name: name.to_owned(),
            expected,
            found,
        }
    }
}
