//! What a method is tried on.

use serde_json::Value;

use crate::job::{BackboneRef, DatasetRef, MethodRef, Presence};
use crate::registry::{DatasetFacts, FactsError, PresentBackbone, RegisteredPlugin, SearchPath};
use crate::suite::DatasetEntry;

/// The backbones and the data set that a method is checked on.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub(super) source: BackboneRef,
    pub(super) target: BackboneRef,
    pub(super) dataset: DatasetRef,
}

impl Inputs {
    /// Looks up the names.
    ///
    /// # Errors
    /// One of them is not on disk.
    pub fn find(
        search_path: &SearchPath,
        (source, target): (&str, &str),
        dataset: &str,
    ) -> Result<Self, FactsError> {
        let backbone = |name: &str| {
            let PresentBackbone { name, files, .. } = PresentBackbone::read(search_path, name)?;
            Ok::<_, FactsError>(BackboneRef {
                name,
                files: Presence::Present(files),
            })
        };
        let entry = DatasetEntry::named(dataset);
        Ok(Self {
            source: backbone(source)?,
            target: backbone(target)?,
            dataset: DatasetFacts::read(search_path, &entry, "")?.reference,
        })
    }
}

/// A method of a plugin with a configuration.
pub(super) fn method_ref(plugin: &RegisteredPlugin, id: &str, config: Value) -> MethodRef {
    MethodRef {
        plugin: plugin.reference.clone(),
        plugin_sha256: plugin.sha256.clone(),
        id: id.to_owned(),
        config,
    }
}
