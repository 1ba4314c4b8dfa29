//! A method against another implementation of it: the same inputs, and the numbers of both.

mod difference;
mod job;
mod module;

pub(super) use job::compare;

/// Steps of plain SGD, and their rate.
const STEPS: usize = 3;
const RATE: f32 = 0.1;
