//! Files of model hubs: where they are on disk, and how they get there.
//!
//! A [`Request`] names files of a repository at a revision. [`Hub::locate`] says
//! which of them are on disk, in the cache that Hugging Face's own tools share, and
//! which are to be fetched; [`Hub::fetch`] gets those. [`registry`] has the
//! published backbones by alias.

mod cache;
mod download;
mod hub;
pub mod registry;
mod repo;
mod settings;
mod wanted;

pub use download::{Arrival, Check, FetchError, Fetched, Patience, Progress, Quiet, Refusal};
pub use hub::{Hub, Located, Missing, Request};
pub use repo::{Repo, RepoError, RepoKind};
pub use settings::{Settings, Token};
pub use wanted::Wanted;
