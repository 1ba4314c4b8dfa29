//! Statistics over seeds and over paired test images: pure functions.
//!
//! Two kinds of uncertainty are kept apart and named: *sampling*, what other test
//! images would say of these modules, and *seeds*, what other draws of the training images
//! would say on these test images.

mod bisect;
mod bootstrap;
mod contrast;
mod crossed;
mod difference;
mod estimate;
mod gamma;
#[cfg(test)]
mod golden;
mod holm;
mod interval;
mod kendall;
mod moderated;
mod normal;
mod pairs;
mod power;
mod student;
mod tango;
#[cfg(test)]
mod tests;
mod wilson;

pub use bootstrap::bootstrap_interval;
pub use contrast::{Combination, Contrast, Four};
pub use crossed::{Crossed, VarianceParts};
pub use difference::{Difference, ImageScatter, LEVEL};
pub use estimate::{Estimate, mean, standard_deviation};
pub use holm::holm;
pub use interval::Interval;
pub use kendall::kendall_tau;
pub use moderated::{SampleVariance, VariancePrior};
pub use normal::{normal_quantile, normal_upper_tail};
pub use pairs::Pairs;
pub use power::{detectable_difference, images_needed};
pub use student::{student_cdf, student_critical, student_quantile, student_upper_tail};
pub use tango::{tango_interval, tango_score};
pub use wilson::wilson_interval;
