//! Statistics over seeds and over paired test images.

mod estimate;
mod paired;
mod student;

pub use estimate::{Estimate, mean, standard_deviation};
pub use paired::PairedDifference;
pub use student::{student_cdf, student_quantile};
