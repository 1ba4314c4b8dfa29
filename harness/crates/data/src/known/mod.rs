//! Data sets known by name: what `datasets.yaml` says about them, and where they are on disk.

mod dataset;
mod locate;

pub use dataset::{DatasetLayout, KnownDataset, PublishedSizes};
pub use locate::DatasetLocation;
pub(crate) use locate::is_wnid;
