//! Shapes, text and axes, in points.

mod axis;
mod canvas;
mod grid;
mod heading;
mod letters;
mod mark;
mod panel;

pub(crate) use axis::{Axis, Direction, Scale};
pub(crate) use canvas::{Anchor, Canvas, Side};
pub(crate) use grid::grid;
pub(crate) use heading::{Entry, Heading, Key, MARGIN};
pub(crate) use letters::{cut_to, width, wrapped};
pub(crate) use mark::Mark;
pub(crate) use panel::{Line, Panel, Spot};
