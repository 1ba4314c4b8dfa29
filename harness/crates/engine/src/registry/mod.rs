//! What the names in a suite lead to: backbones and data sets in folders, methods
//! in plugins.

mod absent;
mod backbones;
mod datasets;
mod facts;
mod install_layout;
mod libraries;
mod module;
mod places;
mod shards;
mod shelf;

pub use absent::{Absent, AbsentFile, InputKind, readable};
pub use backbones::Whereabouts;
pub use datasets::DatasetPlace;
pub use facts::{BackboneFacts, DatasetFacts, FactsError};
pub(crate) use facts::{find_dataset, malformed, missing};
pub use harness_hub::registry::{BackboneEntry, NominalDims, TowerDims};
pub use install_layout::{
    INSTALLED_PLUGINS, INSTALLED_SUITES, built_in_suite, plugin_files, suite_folder,
};
pub use libraries::LibraryError;
pub use module::ModuleFile;
pub use places::Places;
pub(crate) use shards::{fetch as fetch_shards, repository};
pub use shelf::{Broken, Plugin, Registry, RegistryError};
pub(crate) use shelf::{datasets as names_of_datasets, file_name};
