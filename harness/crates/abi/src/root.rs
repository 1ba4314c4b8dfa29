//! The root module: where a loaded plugin begins.

use abi_stable::{
    StableAbi, declare_root_module_statics,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RResult, RStr, RString},
};

use crate::{AbiError, MethodObject};

/// Name of the symbol under which abi_stable expects a library's header. The
/// export macro of the SDK writes it out; a test compares the two.
pub const LOADER_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// Entry points of a plugin. Fields are only ever added at the end.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModRef)))]
#[sabi(missing_field(panic))]
pub struct PluginMod {
    /// A [`Descriptor`](crate::wire::Descriptor) as JSON.
    pub descriptor: extern "C" fn() -> RResult<RString, AbiError>,
    /// A method by its id, configured by a JSON object.
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
