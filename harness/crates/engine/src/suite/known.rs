//! What a suite's names may refer to, as far as the suite has to know.

use std::error::Error;
use std::path::PathBuf;

use harness_abi::wire::{MethodCard, ModuleHeader};

/// Why a name cannot be used. A lower-case fragment that names what is wrong; the suite
/// adds the line and column.
pub type LookupError = Box<dyn Error + Send + Sync>;

/// The backbones and data sets that names may refer to.
pub trait KnownInputs {
    /// Names of the backbones that need no path.
    fn backbones(&self) -> Vec<String>;
    /// Whether a name, path or repository leads to a backbone, on disk or not.
    ///
    /// # Errors
    /// The name of a repository is malformed.
    fn has_backbone(&self, name: &str) -> Result<bool, LookupError>;
    /// Names of the data sets that need no path.
    fn datasets(&self) -> Vec<String>;
    /// Whether a name, path or repository leads to a data set, on disk or not.
    ///
    /// # Errors
    /// The name of a repository is malformed, or its files on disk are damaged.
    fn has_dataset(&self, name: &str) -> Result<bool, LookupError>;
}

/// Everything that names may refer to.
pub trait Known: KnownInputs {
    /// Ids of all methods.
    fn methods(&self) -> Vec<&str>;
    /// The method with an id, of the script at a path if one is given; `Ok(None)` if there is none.
    ///
    /// # Errors
    /// The id cannot be used, for instance because two plugins claim it, or the script cannot.
    fn card(&self, id: &str, script: Option<&str>) -> Result<Option<&MethodCard>, LookupError>;
    /// The header of the module file at a path.
    ///
    /// # Errors
    /// The file cannot be read or is not a module file.
    fn module(&self, path: &str) -> Result<ModuleHeader, LookupError>;
    /// Whether the file at a path can be part of a configuration.
    ///
    /// # Errors
    /// The file cannot be read, is no text, or is too large.
    fn side_file(&self, path: &str) -> Result<(), LookupError>;
    /// The files that a pattern matches, sorted; none is no error.
    ///
    /// # Errors
    /// The pattern is malformed, or a folder cannot be read.
    fn module_files(&self, pattern: &str) -> Result<Vec<PathBuf>, LookupError>;
}
