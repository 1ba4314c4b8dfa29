//! What the names in a suite lead to: backbones and data sets in folders, methods
//! in plugins.

mod datasets;
mod facts;
mod libraries;
mod places;
mod shelf;

pub use datasets::DatasetPlace;
pub(crate) use facts::find_dataset;
pub use facts::{BackboneFacts, DatasetFacts, FactsError};
pub use libraries::LibraryError;
pub use places::Places;
pub(crate) use shelf::file_name;
pub use shelf::{Broken, Plugin, Registry, RegistryError};
