//! Calls from the host into the plugin: its descriptor, its methods, and what they train.
//! Only this module implements the ABI's traits.

mod carried;
mod guard;
mod identity;
mod method;
mod plugin;
mod predictor;
mod script;

pub(crate) use guard::at_boundary;
pub use identity::PluginIdentity;
pub(crate) use method::open as open_method;
pub use plugin::{Export, SDK_VERSION, descriptor, needed_abi_minor, open};
pub use script::{open_script_method, script_descriptor};
