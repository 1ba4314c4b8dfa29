//! Data set formats and few-shot sampling.
//!
//! - [`Dataset::open`] reads any supported format; each file under `format/` is one format.
//! - [`KnownDataset`] lists the data sets that are known by name.
//! - [`Annotations`] and [`few_shot`] select the same images as CoOp's data loader for the same
//!   seed, without reading an image.
//! - [`DatasetCheck`] reports everything that is wrong with a data set.
//!
//! It knows folders, tables, archives and images. It must not know backbones, plugins or suites.

mod annotations;
mod check;
mod content;
mod dataset;
mod decode;
mod error;
mod format;
mod known;
mod listing;
mod open;
mod options;
mod problems;
mod prompts;
mod random_split;
mod relative;
mod sampling;
mod summary;
mod text;
mod validate;

pub use annotations::Annotations;
pub use check::DatasetCheck;
pub use dataset::{Dataset, SplitData};
pub use decode::read_image;
pub use error::DataError;
pub use format::{SplitFile, SplitItem, sprite_sheet};
pub use known::{DatasetLayout, DatasetLocation, KnownDataset, PublishedSizes};
pub use options::{OpenOptions, RandomSplit};
pub use problems::ProblemGroup;
pub use prompts::Templates;
pub use sampling::{FewShotSplit, Mersenne, Sampler, UnknownSampler, few_shot};
pub use summary::{Class, Split, Summary};
