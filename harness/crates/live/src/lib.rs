//! Shows a run in a browser while it goes on.
//!
//! It serves one page, the report so far and the state of the run, to this machine alone unless
//! it is told otherwise. Nothing can be changed through it, and it loads nothing from elsewhere.

mod address;
mod assets;
mod board;
#[cfg(test)]
#[expect(dead_code, reason = "shared with other crates, which use the rest")]
#[path = "../../report/src/fixture.rs"]
mod fixture;
mod request;
mod response;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use address::{AddressError, DEFAULT_ADDRESS, ServeAddress};
pub use board::Board;
pub use server::{ServeError, Server};
pub use state::{Ended, Running, State, Training};
