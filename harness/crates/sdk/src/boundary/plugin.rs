//! The entry points of a plugin and the macro that exports them.

use harness_abi::{
    ABI_MAJOR, ABI_MINOR, AbiError, MethodObject, RUSTC_VERSION,
    std_types::{RResult, RStr, RString},
    wire::{Descriptor, MethodCard, PluginInfo},
};

use super::{PluginIdentity, at_boundary, method};
use crate::{
    Error, Method, Result,
    method::{carried, needed_minor, nominal_setting},
};

/// Version of this SDK.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// An exported method, created by [`export_plugin!`](crate::export_plugin).
#[derive(Clone, Copy)]
pub struct Export {
    id: fn() -> &'static str,
    card: fn() -> Result<MethodCard>,
    open: fn(PluginIdentity, &str) -> Result<MethodObject>,
    minor: u16,
}

impl Export {
    /// Exports a method.
    pub const fn new<M: Method>() -> Self {
        Self {
            id: || M::card().id,
            card: method_card::<M>,
            open: method::open::<M>,
            minor: needed_minor(M::USES),
        }
    }
}

/// The minor ABI version that a host needs for all of these methods.
pub const fn needed_abi_minor(exports: &[Export]) -> u16 {
    let mut minor = 0;
    let mut i = 0;
    while i < exports.len() {
        if exports[i].minor > minor {
            minor = exports[i].minor;
        }
        i += 1;
    }
    minor
}

fn method_card<M: Method>() -> Result<MethodCard> {
    let card = M::card();
    let carried = carried::<M>();
    let strings = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Ok(MethodCard {
        id: card.id.to_owned(),
        title: card.title.to_owned(),
        paper: card.paper.to_owned(),
        family: card.family,
        depth: card.depth.to_owned(),
        sites: card.sites.to_vec(),
        needs: carried.shapes,
        data: card.data,
        carried: carried.names,
        recomputed: strings(card.recomputed),
        deviations: strings(card.deviations),
        config_schema: serde_json::to_value(schemars::schema_for!(M::Config))?,
        recipe: Some(M::recipe(&M::Config::default(), &nominal_setting())),
    })
}

/// A plugin's `descriptor` entry point.
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
                opt_level: None,
                needs_abi: None,
                script: None,
            },
            methods: methods.collect::<Result<_>>()?,
        };
        Ok(serde_json::to_string(&descriptor)?.into())
    })
}

/// A plugin's `open` entry point.
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
                    "plugin {} has no method `{method}`, only {}",
                    identity.name,
                    known.join(", ")
                ))
            })?;
        (export.open)(identity, config.as_str())
    })
}

/// Exports methods from a `cdylib`: `export_plugin!(CoOp, OtherMethod);`, once per crate.
#[macro_export]
macro_rules! export_plugin {
    ($($method:ty),+ $(,)?) => {
        #[doc(hidden)]
        // `expect` would warn in crates that do not deny unsafe code.
        #[allow(unsafe_code, reason = "the exported symbols need fixed names")]
        mod harness_plugin_exports {
            #[allow(unused_imports, reason = "methods may be given as paths")]
            use super::*;
            use $crate::export::{
                AbiError, Export, MethodObject, PluginIdentity, PluginMod, PluginModRef,
                PluginRecord, PrefixTypeTrait, RResult, RStr, RString, RUSTC_VERSION,
                SDK_VERSION, export_symbols, needed_abi_minor,
            };

            const IDENTITY: PluginIdentity = PluginIdentity {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                license: env!("CARGO_PKG_LICENSE"),
            };
            const EXPORTS: &[Export] = &[$(Export::new::<$method>()),+];

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

            export_symbols!(
                root_module,
                PluginRecord::new(SDK_VERSION, RUSTC_VERSION).needing(needed_abi_minor(EXPORTS))
            );
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
    fn panics_in_the_entry_points_are_errors() {
        let panicking = [Export {
            id: || panic!("in the id"),
            card: || panic!("in the card"),
            open: |_, _| panic!("in open"),
            minor: 1,
        }];
        let error = descriptor(IDENTITY, &panicking).into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
        assert!(error.message().contains("in the card"));
        let (id, config) = (RStr::from_str("m"), RStr::from_str("{}"));
        let error = open(IDENTITY, &panicking, id, config).into_result();
        assert_eq!(error.err().map(|e| e.kind()), Some(ErrorKind::Panicked));
    }
}
