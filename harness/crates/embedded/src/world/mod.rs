//! A small world of pictures drawn from a seed: what is in a picture is known exactly.

mod attribute;
mod canvas;
mod digit;
mod draw;
mod palette;
mod place;
mod scene;
mod shape;
mod style;
mod texture;

pub(crate) use attribute::{Attribute, Labels};
pub(crate) use canvas::SIDE;
pub(crate) use draw::draw;
pub(crate) use scene::{Scene, Wish};
pub(crate) use style::Style;
