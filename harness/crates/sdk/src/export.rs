//! What [`export_plugin!`](crate::export_plugin) expands to. Not for direct use.

pub use harness_abi::{
    AbiError, MethodObject, PluginMod, PluginModRef, PluginRecord, RUSTC_VERSION,
    abi_stable::prefix_type::PrefixTypeTrait,
    export_symbols,
    std_types::{RResult, RStr, RString},
};

pub use crate::boundary::{
    Export, PluginIdentity, SDK_VERSION, descriptor, needed_abi_minor, open, open_script_method,
    script_descriptor,
};
pub use crate::method::Feature;
