//! Getting files: over HTTP, resumed, checked, and put into the cache in one step.

mod error;
mod fetch;
mod http;
mod progress;
mod retry;
mod transfer;

pub use error::{FetchError, Refusal};
pub use fetch::{Arrival, Check, Fetched};
pub use progress::{Progress, Quiet};
pub use retry::Patience;
