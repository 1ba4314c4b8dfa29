//! Opening a plugin.
//!
//! abi_stable's own `load_from_file` keeps one library per root-module type, so a
//! second plugin would silently be the first again. Here libloading opens the
//! file and the library's own header gives the root module: two files are two
//! plugins.

#![expect(
    unsafe_code,
    reason = "dlopen runs the library's initialisers and trusts its symbols' types"
)]

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use harness_abi::{
    ABI_MAJOR, ABI_MINOR, AbiError, PluginModRef,
    abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL},
    std_types::RStr,
    wire::{Descriptor, Script},
};
use libloading::Library;

use super::{LoadError, MethodHandle, PluginError, file};

/// A loaded plugin. It stays loaded until the process ends: its threads and
/// thread-locals would not survive an unload.
pub struct LoadedPlugin {
    path: PathBuf,
    root: PluginModRef,
    descriptor: Descriptor,
}

impl LoadedPlugin {
    /// Loads a plugin and reads its descriptor.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_with(path, None)
    }

    /// Loads a plugin that runs scripts, gives it one and reads its descriptor.
    pub fn load_script(path: &Path, script: &Script) -> Result<Self, LoadError> {
        Self::load_with(path, Some(script))
    }

    fn load_with(path: &Path, script: Option<&Script>) -> Result<Self, LoadError> {
        // A name without a slash would send dlopen through the library path.
        let path = fs_err::canonicalize(path).map_err(|_| LoadError::Missing {
            path: path.to_owned(),
        })?;
        let record = file::check(&path)?;
        let root = root_module(&path)?;
        if let Some(script) = script {
            give(&path, root, script)?;
        }
        let mut descriptor = read_descriptor(&path, root)?;
        descriptor.plugin.opt_level = record.opt_level();
        let (major, minor) = record.abi();
        descriptor.plugin.needs_abi = Some(format!("{major}.{minor}"));
        Ok(Self {
            path,
            root,
            descriptor,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Opens a method with a configuration; null is the default.
    pub fn open(
        &self,
        method: &str,
        config: &serde_json::Value,
    ) -> Result<MethodHandle, PluginError> {
        let config = match config {
            serde_json::Value::Null => "{}".to_owned(),
            given => given.to_string(),
        };
        let open = self.root.open();
        let method = open(RStr::from_str(method), RStr::from_str(&config)).into_result()?;
        Ok(MethodHandle::new(method))
    }
}

fn root_module(path: &Path) -> Result<PluginModRef, LoadError> {
    let refused = |error: libloading::Error| LoadError::Refused {
        path: path.to_owned(),
        reason: chain(&error),
    };
    // SAFETY: the file exports our version record, so it was made to be loaded by
    // us; running its initialisers is what the user asked for.
    let library = unsafe { Library::new(path) }.map_err(refused)?;
    // SAFETY: under abi_stable's name a library exports a `LibHeader`, which an
    // `AbiHeaderRef` points to; the export macro of harness-abi writes it. A
    // header of another abi_stable is found out by `upgrade`.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) }
            .map(|symbol| *symbol)
            .map_err(|_| LoadError::NotAPlugin {
                path: path.to_owned(),
                symbol: harness_abi::LOADER_SYMBOL,
            })?;
    // Everything below points into the library.
    std::mem::forget(library);
    let layout = |error: LibraryError| LoadError::Layout {
        path: path.to_owned(),
        abi: format!("{ABI_MAJOR}.{ABI_MINOR}"),
        reason: super::mismatch::distil(&error.to_string()),
    };
    header
        .upgrade()
        .and_then(|header| header.init_root_module::<PluginModRef>())
        .map_err(layout)
}

fn give(path: &Path, root: PluginModRef, script: &Script) -> Result<(), LoadError> {
    let broken = |reason: String| LoadError::Descriptor {
        path: path.to_owned(),
        reason,
    };
    let open = root.open();
    let json = serde_json::to_string(script).map_err(|e| broken(e.to_string()))?;
    let refused = |e: AbiError| LoadError::Script(e.message().to_owned());
    let opened = open(RStr::from_str(Script::ID), RStr::from_str(&json));
    opened.into_result().map(drop).map_err(refused)
}

fn read_descriptor(path: &Path, root: PluginModRef) -> Result<Descriptor, LoadError> {
    let broken = |reason: String| LoadError::Descriptor {
        path: path.to_owned(),
        reason,
    };
    let descriptor = root.descriptor();
    let json = descriptor()
        .into_result()
        .map_err(|e| broken(e.to_string()))?;
    let descriptor: Descriptor =
        serde_json::from_str(json.as_str()).map_err(|e| broken(e.to_string()))?;
    let ids: Vec<_> = descriptor.methods.iter().map(|m| &m.id).collect();
    if ids.is_empty() {
        return Err(broken("it lists no method".into()));
    }
    for (i, id) in ids.iter().enumerate() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(broken(format!(
                "method id {id:?} is not lower case, digits and dashes"
            )));
        }
        if ids[..i].contains(id) {
            return Err(broken(format!("it lists the method `{id}` twice")));
        }
    }
    Ok(descriptor)
}

/// An error with its sources; libloading's own text stops at "dlopen failed".
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}
