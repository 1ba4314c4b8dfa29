//! Files of model hubs: finding them on disk and downloading them.
//!
//! A [`Request`] names files of a repository at a revision. [`Hub::locate`] finds those that are
//! on disk, in the cache that is shared with Hugging Face's own tools, and [`Hub::fetch`]
//! downloads the others. [`registry`] lists published backbones by alias.
//!
//! It knows hub protocols and the layout of their cache. It must not know what is in the files.

mod cache;
mod download;
mod hub;
pub mod registry;
mod repo;
mod repo_file;
mod settings;

pub use download::{
    Download, FetchError, Fetched, Progress, Quiet, Refusal, RetryPolicy, Verification,
};
pub use hub::{Hub, Located, Missing, Request};
pub use repo::{Repo, RepoError, RepoKind};
pub use repo_file::RepoFile;
pub use settings::{Settings, Token};
