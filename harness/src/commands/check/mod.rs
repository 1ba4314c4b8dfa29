//! `harness check`: which modules are worth keeping on a new backbone?

mod command;
mod result;
mod suite;

pub(crate) use command::check;
