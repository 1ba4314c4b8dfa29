//! What an author implements, and what a forward pass takes and gives. Knows host and
//! parameters, not how a method is trained or exported.

mod batch;
mod card;
mod carried;
mod definition;
mod feature;
mod forward;
mod gradients;
mod nominal;
mod tower_names;

pub use batch::Batch;
pub use card::Card;
pub(crate) use carried::carried;
pub use definition::Method;
pub use feature::Feature;
pub(crate) use feature::needed_minor;
pub use forward::Forward;
pub(crate) use forward::{classifier, encode_batch, forward, function, logits, parameters, setup};
pub use gradients::Gradients;
pub(crate) use gradients::{loss, loss_value};
pub(crate) use nominal::nominal_setting;
pub(crate) use tower_names::{TowerSize, tower_parameters};
