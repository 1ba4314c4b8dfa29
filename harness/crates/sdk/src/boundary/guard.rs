//! Errors and panics on the way to the host.

use harness_abi::{AbiError, guarded, std_types::RResult};

use crate::Result;

/// Runs a function that the host calls; errors and panics become values that can cross.
pub(crate) fn at_boundary<T>(entry: impl FnOnce() -> Result<T>) -> RResult<T, AbiError> {
    guarded("the plugin", entry)
}
