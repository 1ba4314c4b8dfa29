//! Calls from the host into the plugin: its descriptor, its methods, and what they train.
//! Only this module implements the ABI's traits.

mod guard;
mod identity;
mod method;
mod plugin;
mod predictor;

pub(crate) use guard::at_boundary;
pub use identity::PluginIdentity;
pub(crate) use method::open as open_method;
pub use plugin::{Export, SDK_VERSION, descriptor, needed_abi_minor, open};
