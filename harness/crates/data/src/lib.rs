//! Data set formats and CoOp's few-shot sampling.
//!
//! - [`Dataset::open`] reads any supported format; one file under `format/` is one format.
//! - [`Known`] is the list of data sets that go by a name.
//! - [`Annotations`] and [`few_shot`] draw the same images as CoOp's data loader does for the
//!   same seed, images unseen; [`Check`] says all that is wrong.
//!
//! It knows folders, tables, archives and pictures. It must not know backbones, plugins or
//! suites.

mod annotations;
mod check;
mod content;
mod dataset;
mod decode;
mod division;
mod error;
mod format;
mod known;
mod listing;
mod opening;
mod problems;
mod prompts;
mod relative;
mod sampling;
mod summary;
mod text;
mod validate;

pub use annotations::Annotations;
pub use check::Check;
pub use dataset::{Dataset, SplitData};
pub use decode::read_image;
pub use error::DataError;
pub use format::{SplitFile, SplitItem, sheet};
pub use known::{Known, Layout, Located, Sizes};
pub use opening::{Division, Opening};
pub use problems::Kind;
pub use prompts::Templates;
pub use sampling::{Mersenne, Picks, Sampler, few_shot};
pub use summary::{Class, Split, Summary};
