//! One value of a method's configuration varied over the entries of a suite: accuracy
//! as a function of it, as a table and a picture.

mod key;
mod series;

pub use key::{METHOD, SweepError};
pub use series::{Panel, Point, Series, Sweep};
