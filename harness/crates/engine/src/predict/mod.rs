//! What a module says of images that are in no data set.

mod error;
mod job;
mod request;

pub use error::PredictError;
pub use job::{PredictJob, Prediction, Scored};
pub use request::{PredictRequest, Predictions, predict};
