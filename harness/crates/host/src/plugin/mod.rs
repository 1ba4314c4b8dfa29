//! Loading plugins and talking to their methods.

mod error;
mod file;
mod library;
mod method;
mod mismatch;

pub use error::{LoadError, PluginError};
pub use file::has_record;
pub use library::LoadedPlugin;
pub use method::{MethodHandle, PredictorHandle, TrainedModule};
