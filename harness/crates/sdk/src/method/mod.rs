//! What an author implements, and what a forward pass takes and gives. Knows host and
//! parameters, not how a method is trained or exported.

mod batch;
mod card;
mod definition;
mod forward;

pub use batch::Batch;
pub use card::Card;
pub use definition::Method;
pub use forward::Forward;
pub(crate) use forward::{classifier, encode_batch, forward, function, logits, parameters, setup};
