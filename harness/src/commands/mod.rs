//! The commands, one a file.

mod analyze;
mod baseline;
mod cache;
mod completions;
mod data;
mod diff;
mod embed;
mod export;
mod gate;
mod list;
mod plan;
mod plugin;
mod power;
mod run;
mod schema;
mod settings;
mod verify;
mod worker;

pub(crate) use analyze::analyze;
pub(crate) use baseline::baseline;
pub(crate) use cache::cache;
pub(crate) use completions::completions;
pub(crate) use data::data;
pub(crate) use diff::diff;
pub(crate) use embed::embed;
pub(crate) use export::export;
pub(crate) use gate::gate;
pub(crate) use list::list;
pub(crate) use plan::plan;
pub(crate) use plugin::plugin;
pub(crate) use run::run;
pub(crate) use schema::schema;
pub(crate) use settings::worker_command;
pub(crate) use verify::verify;
pub(crate) use worker::worker;
