//! The host's side of a module file: its header, checked, and completed after training.
//!
//! A plugin writes what it knows; what identifies the inputs of a training only the host
//! knows.

use std::collections::HashMap;

use harness_abi::wire::{HeaderError, ModuleHeader, ModuleOrigin};
use safetensors::{SafeTensorError, SafeTensors, serialize};

/// Why bytes are not a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    #[error("not a safetensors file: {0}")]
    NotSafetensors(#[from] SafeTensorError),
    #[error(
        "not a module file: its header has no entry `{}`; `harness convert --module` makes a module from a checkpoint",
        ModuleHeader::KEY
    )]
    NotAModule,
    #[error("malformed header entry `harness`: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("header entry `harness`: {0}")]
    Header(#[from] HeaderError),
}

/// The header of a module file, checked.
///
/// # Errors
/// The bytes are not a module file, or the header has a value that no module can have.
pub fn read_header(module: &[u8]) -> Result<ModuleHeader, ModuleError> {
    let (_, head) = SafeTensors::read_metadata(module)?;
    let entries = head.metadata().as_ref();
    let text = entries
        .and_then(|entries| entries.get(ModuleHeader::KEY))
        .ok_or(ModuleError::NotAModule)?;
    let header: ModuleHeader = serde_json::from_str(text)?;
    header.check()?;
    Ok(header)
}

/// A module file with the same tensors and with `origin` in its header.
///
/// # Errors
/// As for [`read_header`].
pub fn with_origin(module: &[u8], origin: ModuleOrigin) -> Result<Vec<u8>, ModuleError> {
    let header = ModuleHeader {
        origin: Some(origin),
        ..read_header(module)?
    };
    header.check()?;
    let tensors = SafeTensors::deserialize(module)?;
    // One entry, so that the same module always has the same bytes.
    let metadata = HashMap::from([(
        ModuleHeader::KEY.to_owned(),
        serde_json::to_string(&header)?,
    )]);
    Ok(serialize(tensors.iter(), Some(metadata))?)
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, tensor::TensorView};
    use serde_json::json;

    use super::*;

    fn module(header: &str) -> Vec<u8> {
        let values = [0, 0, 128, 63, 0, 0, 0, 192];
        let view = TensorView::new(Dtype::F32, vec![2], &values).unwrap();
        let metadata = HashMap::from([("harness".to_owned(), header.to_owned())]);
        serialize([("ctx", view)], Some(metadata)).unwrap()
    }

    fn header() -> serde_json::Value {
        json!({
            "format": "harness-module/1", "plugin": "p", "plugin_version": "1",
            "method": "coop", "config": {}, "source": "a", "dataset": "d",
            "classes": ["0"], "seed": 1,
        })
    }

    fn origin() -> ModuleOrigin {
        ModuleOrigin {
            plugin_sha256: "a".repeat(64),
            source_sha256: "b".repeat(64),
            dataset_sha256: "c".repeat(64),
            class_names: vec!["zero".to_owned()],
            templates: vec!["a {}.".to_owned()],
            templates_sha256: "d".repeat(64),
            shots: 16,
            split_seed: None,
            sampler: "coop".to_owned(),
            recipe: None,
        }
    }

    #[test]
    fn completing_a_header_leaves_the_tensors_as_they_are() {
        let bytes = module(&header().to_string());
        assert_eq!(read_header(&bytes).unwrap().origin, None);
        let completed = with_origin(&bytes, origin()).unwrap();
        assert_eq!(read_header(&completed).unwrap().origin, Some(origin()));
        let tensor = |bytes: &[u8]| {
            let file = SafeTensors::deserialize(bytes).unwrap();
            file.tensor("ctx").unwrap().data().to_vec()
        };
        assert_eq!(tensor(&completed), tensor(&bytes));
        assert_eq!(with_origin(&completed, origin()).unwrap(), completed);
    }

    #[test]
    fn what_is_not_a_module_is_refused() {
        let bytes = module(&header().to_string());
        for length in 0..bytes.len() - 8 {
            let _ = read_header(&bytes[..length]);
        }
        let mut other = header();
        other["method"] = json!("a\u{7}");
        for (bytes, says) in [
            (b"not one".to_vec(), "not a safetensors file"),
            (module("{"), "malformed header entry `harness`"),
            (module("{}"), "missing field"),
            (module(&other.to_string()), "`method`"),
        ] {
            let error = read_header(&bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let mut wrong = origin();
        wrong.class_names.clear();
        assert!(with_origin(&bytes, wrong).is_err());
    }
}
