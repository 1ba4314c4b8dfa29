//! Trained modules as files that people handle: names, listings, export.

mod export;
mod naming;
mod stored;

pub use export::{ExportError, MANIFEST, Manifest, ManifestEntry, export};
pub use naming::{NamedModule, file_stem, name_all, seeds_of};
pub use stored::{StoredModules, UnusableModule, stored};
