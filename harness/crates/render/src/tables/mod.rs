//! The tables of a report before they have a format: which columns and rows there are and what
//! stands in them. Terminal, Markdown, LaTeX and HTML draw the same tables.

pub(crate) mod averages;
pub(crate) mod chain;
pub(crate) mod cost;
pub(crate) mod facts;
pub(crate) mod flips;
pub(crate) mod matrix;
mod model;
pub(crate) mod overview;
pub(crate) mod recommendations;

pub(crate) use model::{Cell, Number, Row, Table, Unit};
