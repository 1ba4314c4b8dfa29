//! Where control enters a plugin.

use harness_abi::{AbiError, guarded, std_types::RResult};

use crate::Result;

/// Runs an entry; errors and panics become values that can cross.
pub(crate) fn at_boundary<T>(entry: impl FnOnce() -> Result<T>) -> RResult<T, AbiError> {
    guarded("the plugin", entry)
}
