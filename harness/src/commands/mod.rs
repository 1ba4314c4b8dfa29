//! The commands, one a file.

mod completions;
mod list;
mod plan;
mod run;
mod schema;
mod settings;
mod worker;

pub(crate) use completions::completions;
pub(crate) use list::list;
pub(crate) use plan::plan;
pub(crate) use run::run;
pub(crate) use schema::schema;
pub(crate) use worker::worker;
