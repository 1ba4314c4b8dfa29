//! The commands, one a file.

mod cache;
mod completions;
mod list;
mod plan;
mod run;
mod schema;
mod settings;
mod worker;

pub(crate) use cache::cache;
pub(crate) use completions::completions;
pub(crate) use list::list;
pub(crate) use plan::plan;
pub(crate) use run::run;
pub(crate) use schema::schema;
pub(crate) use worker::worker;
