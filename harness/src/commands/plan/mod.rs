//! `harness plan`: what a run would do, what it costs, and what fits into a time.

mod asked;
mod cluster;
mod command;
mod costs;
mod document;
mod render;
mod state;

pub(crate) use command::plan;
pub(crate) use document::plan_schema;
