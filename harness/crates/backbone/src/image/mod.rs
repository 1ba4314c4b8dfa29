//! The image tower.

mod load;
mod tower;

pub use tower::ImageTower;
