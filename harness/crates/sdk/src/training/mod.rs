//! The training loop that all methods share, with optimizers and schedules. Knows methods
//! through their trait alone, not how they are exported.

mod average;
mod gradient_check;
mod gradients;
mod losses;
mod optimizer;
mod run;
mod schedule;
mod steps;
mod trainable;

pub(crate) use gradients::{check_gradients, gradients};
pub(crate) use losses::Losses;
pub(crate) use run::{initialise, train};
pub use steps::Step;
pub(crate) use steps::Steps;
pub(crate) use trainable::Trainable;
