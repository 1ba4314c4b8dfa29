//! The two symbols of a plugin, written out.
//!
//! abi_stable's own attribute would make every plugin depend on abi_stable; this
//! one names it through this crate.

/// Exports a plugin's header and version record. `$root` is a
/// `fn() -> PluginModRef`, `$record` a constant [`PluginRecord`](crate::PluginRecord).
#[macro_export]
macro_rules! export_symbols {
    ($root:path, $record:expr) => {
        extern "C" fn __harness_root() -> $crate::abi_stable::library::RootModuleResult {
            $crate::abi_stable::library::__call_root_module_loader($root)
        }

        // SAFETY: the name is the one under which abi_stable looks for a library's
        // header; a library exports one plugin, so it is defined once. The
        // constructor returns an erased `PluginModRef`, as `from_constructor` asks.
        #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
        #[doc(hidden)]
        pub static __HARNESS_HEADER: $crate::abi_stable::library::LibHeader = unsafe {
            $crate::abi_stable::library::LibHeader::from_constructor::<$crate::PluginModRef>(
                __harness_root,
                $crate::abi_stable::library::CheckTypeLayout::Yes,
            )
        };

        // SAFETY: a name of our own, defined once, for a block of plain bytes.
        #[unsafe(export_name = "HARNESS_PLUGIN_RECORD")]
        #[doc(hidden)]
        pub static __HARNESS_RECORD: $crate::PluginRecord = $record;
    };
}
