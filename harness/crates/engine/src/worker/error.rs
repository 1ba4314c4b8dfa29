//! Why a job did not succeed.

use std::io::ErrorKind;

use harness_store::FeatureError;
use thiserror::Error;

use harness_host::plugin::{LoadError, PluginError};

#[derive(Debug, Error)]
pub(super) enum JobError {
    #[error("{0}")]
    NotInjectable(String),
    /// A site or parameter that the backbone does not have.
    #[error("{0}")]
    NotOffered(String),
    #[error("{0}")]
    Failed(String),
    /// A process that the plugin works with ended.
    #[error("{0}")]
    Crashed(String),
    #[error(transparent)]
    NotOnDisk(#[from] crate::job::NotOnDisk),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Backbone(#[from] harness_backbone::BackboneError),
    #[error(transparent)]
    Data(#[from] harness_data::DataError),
    #[error(transparent)]
    Images(#[from] crate::images::ImagesError),
    #[error(transparent)]
    Store(#[from] FeatureError),
    #[error(transparent)]
    Host(#[from] harness_abi::AbiError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl JobError {
    /// Whether a file was not written because the disk, a quota or a limit on its size has no room.
    pub(super) fn lacks_room(&self) -> bool {
        let (Self::Io(error) | Self::Store(FeatureError::Io(error))) = self else {
            return false;
        };
        matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
        )
    }
}

impl From<PluginError> for JobError {
    fn from(error: PluginError) -> Self {
        match error {
            PluginError::NotInjectable(reason) => Self::NotInjectable(reason),
            PluginError::NotOffered(reason) => Self::NotOffered(reason),
            PluginError::Crashed(message) => Self::Crashed(message),
            other => Self::Failed(other.to_string()),
        }
    }
}
