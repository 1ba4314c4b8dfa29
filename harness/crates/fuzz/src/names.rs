//! Names that lead somewhere, whatever they are.

use std::path::PathBuf;

use harness_abi::wire::{MethodCard, ModuleHeader};
use harness_engine::suite::{Known, KnownInputs, LookupError};

use crate::samples;

/// Knows every backbone and data set, and one method.
pub(crate) struct AnyName {
    card: MethodCard,
}

impl AnyName {
    pub(crate) fn new() -> Self {
        Self {
            card: samples::card(),
        }
    }
}

impl KnownInputs for AnyName {
    fn backbones(&self) -> Vec<String> {
        vec!["micro-clip".to_owned()]
    }

    fn has_backbone(&self, name: &str) -> Result<bool, LookupError> {
        Ok(name != "unknown")
    }

    fn datasets(&self) -> Vec<String> {
        vec!["digits".to_owned()]
    }

    fn has_dataset(&self, name: &str) -> Result<bool, LookupError> {
        Ok(name != "unknown")
    }
}

impl Known for AnyName {
    fn methods(&self) -> Vec<&str> {
        vec![&self.card.id]
    }

    fn card(&self, id: &str, _: Option<&str>) -> Result<Option<&MethodCard>, LookupError> {
        Ok((id != "unknown").then_some(&self.card))
    }

    fn module(&self, path: &str) -> Result<ModuleHeader, LookupError> {
        Err(format!("no module at {path}").into())
    }

    fn side_file(&self, path: &str) -> Result<(), LookupError> {
        Err(format!("no file at {path}").into())
    }

    fn module_files(&self, _: &str) -> Result<Vec<PathBuf>, LookupError> {
        Ok(Vec::new())
    }
}
