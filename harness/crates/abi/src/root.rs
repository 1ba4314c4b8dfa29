//! The root module: the entry points of a loaded plugin.

use abi_stable::{
    StableAbi, declare_root_module_statics,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RResult, RStr, RString},
};

use crate::{AbiError, MethodObject};

/// Name of the symbol under which abi_stable looks for a library's header;
/// [`export_symbols!`](crate::export_symbols) repeats it.
pub const LOADER_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// Entry points of a plugin. Fields are only ever added at the end.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModRef)))]
#[sabi(missing_field(panic))]
pub struct PluginMod {
    /// A [`Descriptor`](crate::wire::Descriptor) as JSON.
    pub descriptor: extern "C" fn() -> RResult<RString, AbiError>,
    /// Opens a method by id with a JSON object as its configuration.
    #[sabi(last_prefix_field)]
    pub open: extern "C" fn(method: RStr<'_>, config: RStr<'_>) -> RResult<MethodObject, AbiError>,
}

impl RootModule for PluginModRef {
    declare_root_module_statics! {PluginModRef}
    const BASE_NAME: &'static str = "harness_plugin";
    const NAME: &'static str = "harness_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_symbol_is_the_one_abi_stable_looks_up() {
        assert_eq!(LOADER_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
    }
}
