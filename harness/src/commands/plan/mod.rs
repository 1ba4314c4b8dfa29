//! `harness plan`: what a run would do, what it costs, and what fits into a time.

mod command;
mod costs;
mod document;
mod render;

pub(crate) use command::plan;
pub(crate) use document::plan_schema;
