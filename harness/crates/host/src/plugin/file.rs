//! Checks of a plugin file before any of its code runs.
//!
//! The dynamic loader's own messages mislead: a library for another processor is
//! "no such file". So the file's header and the plugin's version record are read
//! as bytes first.

use std::path::Path;

use fs_err::File;
use harness_abi::{ABI_MAJOR, ABI_MINOR, PluginRecord, RECORD_SYMBOL};
use object::{
    Architecture, BinaryFormat, ExportTarget, NameOrOrdinal, Object, ObjectKind, ObjectSection,
    read::{ReadCache, ReadRef},
};

use super::LoadError;

/// Says whether the file is a plugin that this process can load.
pub(super) fn check(path: &Path) -> Result<PluginRecord, LoadError> {
    let unreadable = |reason: std::io::Error| LoadError::Unreadable {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let not_a_library = |found: String| LoadError::NotALibrary {
        path: path.to_owned(),
        found,
    };
    if path.is_dir() {
        return Err(not_a_library("a folder".into()));
    }
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() == 0 {
        return Err(not_a_library("an empty file".into()));
    }
    let cache = ReadCache::new(file);
    let object =
        object::File::parse(&cache).map_err(|e| not_a_library(format!("something else ({e})")))?;
    if object.kind() != ObjectKind::Dynamic {
        return Err(not_a_library(format!(
            "an object of kind {:?}",
            object.kind()
        )));
    }
    check_platform(path, &object)?;
    let record = read_record(path, &object)?;
    check_record(path, &record)?;
    Ok(record)
}

/// Whether a file is a shared library that exports a plugin's version record, for whatever
/// machine and ABI.
pub fn has_record(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let cache = ReadCache::new(file);
    let Ok(object) = object::File::parse(&cache) else {
        return false;
    };
    object.kind() == ObjectKind::Dynamic && record_address(&object).is_ok_and(|at| at.is_some())
}

fn check_platform<'a, R: ReadRef<'a>>(
    path: &Path,
    object: &object::File<'a, R>,
) -> Result<(), LoadError> {
    let name = |arch: Architecture, format: BinaryFormat| format!("{arch:?} ({format:?})");
    let native = BinaryFormat::native_object();
    let expected = match () {
        () if cfg!(target_arch = "x86_64") => Architecture::X86_64,
        () if cfg!(target_arch = "aarch64") => Architecture::Aarch64,
        // Where the name is not known, the dynamic loader decides.
        () => object.architecture(),
    };
    if object.architecture() == expected && object.format() == native {
        return Ok(());
    }
    Err(LoadError::Platform {
        path: path.to_owned(),
        expected: name(expected, native),
        found: name(object.architecture(), object.format()),
    })
}

fn read_record<'a, R: ReadRef<'a>>(
    path: &Path,
    object: &object::File<'a, R>,
) -> Result<PluginRecord, LoadError> {
    let broken = |reason: String| LoadError::Record {
        path: path.to_owned(),
        reason,
    };
    let address = record_address(object)
        .map_err(|e| broken(format!("its export table is damaged ({e})")))?
        .ok_or_else(|| LoadError::NotAPlugin {
            path: path.to_owned(),
            symbol: RECORD_SYMBOL,
        })?;
    let bytes = object
        .sections()
        .find_map(|s| s.data_range(address, PluginRecord::SIZE as u64).ok()?)
        .ok_or_else(|| broken("its version record is outside the file".into()))?;
    PluginRecord::parse(bytes).map_err(|e| broken(e.to_string()))
}

/// Where the record is in the library's memory, if it exports one.
fn record_address<'a, R: ReadRef<'a>>(
    object: &object::File<'a, R>,
) -> Result<Option<u64>, object::Error> {
    let exports = object.exports()?;
    Ok(exports
        .filter_map(Result::ok)
        .find_map(|export| match (export.name(), export.target()) {
            (NameOrOrdinal::Name(name), ExportTarget::Address { address })
                // Mach-O puts an underscore before every name.
                if name.strip_prefix(b"_").unwrap_or(name) == RECORD_SYMBOL.as_bytes() =>
            {
                Some(address)
            }
            _ => None,
        }))
}

fn check_record(path: &Path, record: &PluginRecord) -> Result<(), LoadError> {
    let (major, minor) = record.abi();
    // A newer minor may call what this host does not have.
    if major != ABI_MAJOR || minor > ABI_MINOR {
        return Err(LoadError::Abi {
            path: path.to_owned(),
            expected: format!("{ABI_MAJOR}.0 to {ABI_MAJOR}.{ABI_MINOR}"),
            found: format!("{major}.{minor}"),
            sdk: record.sdk(),
            rustc: record.rustc(),
        });
    }
    if record.unwinds() {
        Ok(())
    } else {
        Err(LoadError::PanicStrategy {
            path: path.to_owned(),
        })
    }
}
