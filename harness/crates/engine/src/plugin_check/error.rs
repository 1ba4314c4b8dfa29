//! Why a plugin could not be checked.

use crate::registry::FactsError;
use crate::schedule::PoolError;

/// Why a plugin could not be checked; a check that fails is a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginCheckError {
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Pool(#[from] PoolError),
}
