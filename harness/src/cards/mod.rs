//! Method cards: gathered from plugins, shown as a table, as text or as Markdown.

mod gather;
mod listed;
mod markdown;
mod options;
mod table;
mod text;
mod words;

pub(crate) use gather::{Cards, Entry};
pub(crate) use listed::listed;
pub(crate) use markdown::markdown;
pub(crate) use table::table;
pub(crate) use text::text;
