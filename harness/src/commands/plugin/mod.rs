//! `harness plugin`.

mod action;
mod attempt;
mod build;
mod check;
mod compare;
mod curve;
mod library;
mod lock;
mod watch;

pub(crate) use action::plugin;
