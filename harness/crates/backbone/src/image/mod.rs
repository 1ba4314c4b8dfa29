//! The image tower.

mod edits;
mod engine;
mod forward;
mod load;
mod positions;
mod tower;

pub use edits::ImageEdit;
pub(crate) use edits::TokenEdits;
pub use tower::ImageTower;
