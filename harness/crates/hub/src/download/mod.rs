//! Downloading files into the cache: resumed, verified, and moved into place atomically.

mod error;
mod fetch;
mod forward;
mod http;
mod progress;
mod retry;
mod transfer;

pub use error::{FetchError, Refusal};
pub use fetch::{Download, Fetched, Verification};
pub use progress::{Progress, Quiet};
pub use retry::RetryPolicy;
