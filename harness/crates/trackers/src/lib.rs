//! Reports as runs of experiment trackers, and model cards of modules.
//!
//! A run is a trained module: its settings, its training loss, and its accuracy on the source and on
//! each target. The files are those that the trackers write themselves, so that nothing is uploaded
//! and no tracker needs to be installed.
//!
//! It knows the result types of `harness-report`. It must compute none of them.

mod card;
mod error;
mod files;
#[cfg(test)]
#[path = "../../report/src/fixture.rs"]
#[expect(dead_code, reason = "shared with the tests of other crates")]
mod fixture;
mod mlflow;
mod run;
mod tensorboard;
#[cfg(test)]
mod tests;
mod wandb;

pub use card::model_card;
pub use error::TrackerError;
pub use mlflow::mlflow;
pub use run::{TrackedRun, runs};
pub use tensorboard::tensorboard;
pub use wandb::wandb;
