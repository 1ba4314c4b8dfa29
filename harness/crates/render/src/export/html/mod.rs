//! A report as one page for a browser, which loads nothing from anywhere.
//!
//! The tables, the switch of the matrix and the charts are plain HTML, CSS and SVG; a
//! script adds what a reader asks for: the seeds and classes of one entry.

mod chain;
mod chart;
mod classes;
mod comparison;
mod data;
mod entry;
mod flow;
mod page;
mod provenance;
mod scatter;
mod section;
mod shade;
mod templates;
#[cfg(test)]
mod tests;

pub(crate) use page::html;
