//! Python's pickle machine, with values that can do nothing.

mod global;
mod machine;
mod reader;
mod value;

pub(crate) use machine::run;
pub(crate) use value::{Arena, Id, TensorValue, Value};

/// Why a pickle was refused, and at which of its bytes.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) at: usize,
    pub(crate) reason: String,
}
