//! What is computed from the conditions of a cell. Every accuracy is a fraction.

mod changes;
mod classes;
mod embeddings;
mod flips;
mod harmonic;

pub use changes::{Predicted, calibration_error, changes};
pub use classes::{ClassRow, class_rows};
pub use embeddings::{Embeddings, linear_cka, procrustes};
pub use flips::Flips;
pub use harmonic::{harmonic_mean, harmonic_of_means, mean_of_harmonics};
