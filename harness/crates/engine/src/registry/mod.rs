//! What the names in a suite lead to: backbones and data sets in folders and on a hub,
//! methods in plugins.

mod absent;
mod backbones;
mod datasets;
mod discovery;
mod facts;
mod gate;
mod image_size;
mod install_layout;
mod interpreter;
mod libraries;
mod location;
mod module_file;
mod scripts;
mod search_path;
mod shards;
mod weight_shards;

pub use absent::{Absent, AbsentFile, InputKind, readable};
pub use discovery::RegisteredPlugin;
pub use discovery::{DescriptorError, DuplicateMethod, NamedPlugins, Registry, RegistryError};
pub use facts::{Architecture, BackboneFacts, Contents, DatasetFacts, FactsError, PresentBackbone};
pub(crate) use facts::{find_dataset, missing, not_found};
pub use harness_hub::registry::{BackboneEntry, NominalDims, TowerDims};
pub use install_layout::{INSTALLED_PLUGINS, INSTALLED_SUITES, built_in_suite, suite_folder};
pub use libraries::{LibraryError, UnusablePlugin, plugin_files};
pub use location::{DatasetPath, Location, LocationError};
pub use module_file::{ModuleFile, ModuleFileError};
pub use scripts::ScriptLookupError;
pub use search_path::{PatternError, SearchPath};
pub(crate) use shards::{fetch as fetch_shards, repository};
pub(crate) use weight_shards::fetch as fetch_weights;
