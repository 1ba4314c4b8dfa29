//! The data sets that the harness knows by name: what is in `datasets.yaml`, and where it lies.

mod entry;
mod locate;

pub use entry::{Known, Layout, Sizes};
pub use locate::Located;
pub(crate) use locate::is_wnid;
