//! The image tower.

mod edits;
mod forward;
mod load;
mod positions;
mod tower;

pub use edits::ImageEdit;
pub use tower::ImageTower;
