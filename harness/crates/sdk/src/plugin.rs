//! A plugin: its identity, its methods, and the symbols that a host looks for.

use harness_abi::{
    ABI_MAJOR, ABI_MINOR, AbiError, MethodObject, RUSTC_VERSION,
    std_types::{RResult, RStr, RString},
    wire::{Descriptor, MethodCard, PluginInfo},
};

use crate::{Error, Method, Result, boundary::at_boundary, entry, method::Card};

/// Version of this SDK.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who a plugin is, from its crate's manifest.
#[derive(Clone, Copy, Debug)]
pub struct PluginIdentity {
    pub name: &'static str,
    pub version: &'static str,
    pub license: &'static str,
}

/// One exported method; made by [`export_plugin!`](crate::export_plugin).
#[derive(Clone, Copy)]
pub struct Export {
    id: fn() -> &'static str,
    card: fn() -> Result<MethodCard>,
    open: fn(PluginIdentity, &str) -> Result<MethodObject>,
}

impl Export {
    pub const fn of<M: Method>() -> Self {
        Self {
            id: || M::card().id,
            card: Card::publish::<M>,
            open: entry::open::<M>,
        }
    }
}

/// The body of a plugin's `descriptor` entry.
pub fn descriptor(identity: PluginIdentity, exports: &[Export]) -> RResult<RString, AbiError> {
    at_boundary(|| {
        let methods = exports.iter().map(|export| (export.card)());
        let descriptor = Descriptor {
            plugin: PluginInfo {
                name: identity.name.to_owned(),
                version: identity.version.to_owned(),
                license: identity.license.to_owned(),
                sdk: SDK_VERSION.to_owned(),
                rustc: RUSTC_VERSION.to_owned(),
                abi: format!("{ABI_MAJOR}.{ABI_MINOR}"),
            },
            methods: methods.collect::<Result<_>>()?,
        };
        Ok(serde_json::to_string(&descriptor)?.into())
    })
}

/// The body of a plugin's `open` entry.
pub fn open(
    identity: PluginIdentity,
    exports: &[Export],
    method: RStr<'_>,
    config: RStr<'_>,
) -> RResult<MethodObject, AbiError> {
    at_boundary(|| {
        let export = exports
            .iter()
            .find(|export| (export.id)() == method.as_str())
            .ok_or_else(|| {
                let known: Vec<_> = exports.iter().map(|e| (e.id)()).collect();
                Error::Config(format!(
                    "plugin {} has no method `{method}`; it has {}",
                    identity.name,
                    known.join(", ")
                ))
            })?;
        (export.open)(identity, config.as_str())
    })
}

/// Makes a `cdylib` a plugin: `export_plugin!(CoOp, OtherMethod);`, once a crate.
#[macro_export]
macro_rules! export_plugin {
    ($($method:ty),+ $(,)?) => {
        #[doc(hidden)]
        #[allow(unsafe_code)]
        mod harness_plugin_exports {
            #[allow(unused_imports)]
            use super::*;
            use $crate::export::{
                AbiError, Export, MethodObject, PluginIdentity, PluginMod, PluginModRef,
                PluginRecord, PrefixTypeTrait, RResult, RStr, RString, RUSTC_VERSION,
                SDK_VERSION, export_symbols,
            };

            const IDENTITY: PluginIdentity = PluginIdentity {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                license: env!("CARGO_PKG_LICENSE"),
            };
            const EXPORTS: &[Export] = &[$(Export::of::<$method>()),+];

            extern "C" fn descriptor() -> RResult<RString, AbiError> {
                $crate::export::descriptor(IDENTITY, EXPORTS)
            }

            extern "C" fn open(
                method: RStr<'_>,
                config: RStr<'_>,
            ) -> RResult<MethodObject, AbiError> {
                $crate::export::open(IDENTITY, EXPORTS, method, config)
            }

            fn root_module() -> PluginModRef {
                PluginMod { descriptor, open }.leak_into_prefix()
            }

            export_symbols!(root_module, PluginRecord::new(SDK_VERSION, RUSTC_VERSION));
        }
    };
}

#[cfg(test)]
mod tests {
    use harness_abi::ErrorKind;

    use super::*;

    const IDENTITY: PluginIdentity = PluginIdentity {
        name: "p",
        version: "0.1.0",
        license: "MIT",
    };

    #[test]
    fn a_panic_in_the_first_entries_is_an_error_too() {
        let panicking = [Export {
            id: || panic!("in the id"),
            card: || panic!("in the card"),
            open: |_, _| panic!("in open"),
        }];
        let error = descriptor(IDENTITY, &panicking).into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
        assert!(error.message().contains("in the card"));
        let (id, config) = (RStr::from_str("m"), RStr::from_str("{}"));
        let error = open(IDENTITY, &panicking, id, config).into_result();
        assert_eq!(error.err().map(|e| e.kind()), Some(ErrorKind::Panicked));
    }
}
