//! The two symbols of a plugin.
//!
//! abi_stable's own attribute would make every plugin depend on abi_stable; this macro
//! reaches it through this crate.

/// Exports a plugin's header and version record. `$root` is a
/// `fn() -> PluginModRef`, `$record` a constant [`PluginRecord`](crate::PluginRecord).
#[macro_export]
macro_rules! export_symbols {
    ($root:path, $record:expr) => {
        extern "C" fn __harness_root() -> $crate::abi_stable::library::RootModuleResult {
            $crate::abi_stable::library::__call_root_module_loader($root)
        }

        // SAFETY: abi_stable looks for a library's header under this name; a library
        // exports one plugin, so it is defined once. The constructor returns an erased
        // `PluginModRef`, as `from_constructor` requires.
        #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
        #[doc(hidden)]
        pub static __HARNESS_HEADER: $crate::abi_stable::library::LibHeader = unsafe {
            $crate::abi_stable::library::LibHeader::from_constructor::<$crate::PluginModRef>(
                __harness_root,
                $crate::abi_stable::library::CheckTypeLayout::Yes,
            )
        };

        // SAFETY: the name is unique to this crate and defined once; the value is plain
        // bytes.
        #[unsafe(export_name = "HARNESS_PLUGIN_RECORD")]
        #[doc(hidden)]
        pub static __HARNESS_RECORD: $crate::PluginRecord = $record;
    };
}
