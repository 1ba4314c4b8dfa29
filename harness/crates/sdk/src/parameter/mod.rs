//! The tensors a method trains and carries: declarations, initial values, named values.
//! Knows the host, no method or training.

mod declaration;
mod init;
mod values;

pub use declaration::{Init, Parameter};
pub(crate) use init::initial_values;
pub use values::Parameters;
