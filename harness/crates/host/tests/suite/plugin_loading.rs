//! What a user is told of a file that is not a plugin for this harness.

use std::path::{Path, PathBuf};

use harness_abi::{ABI_MAJOR, ABI_MINOR, ABI_MINOR_BASE};
use harness_host::plugin::{LoadError, LoadedPlugin};
use tempfile::TempDir;

use crate::plugins::{library, plugin};

fn load(path: &Path) -> String {
    let error = LoadedPlugin::load(path).err().unwrap();
    let text = error.to_string();
    let name = path.file_name().unwrap().to_string_lossy();
    assert!(text.contains(&*name), "{text} does not name {name}");
    assert!(!text.contains('\n'), "more than one line: {text}");
    text
}

/// A copy of a real plugin with some bytes changed.
fn altered(folder: &TempDir, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(library("harness-plugin-coop")).unwrap();
    change(&mut bytes);
    let path = folder.path().join("altered.so");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn record_at(bytes: &[u8]) -> usize {
    let magic = b"HARNESSP";
    let found: Vec<_> = bytes
        .windows(8)
        .enumerate()
        .filter(|(_, w)| w == magic)
        .collect();
    // The other occurrences are comparisons and messages of the SDK.
    let version = [ABI_MAJOR.to_le_bytes(), ABI_MINOR_BASE.to_le_bytes()].concat();
    found
        .iter()
        .map(|(at, _)| *at)
        .find(|at| bytes[at + 8..at + 12] == version)
        .unwrap()
}

/// A plugin loads in every host that has what it uses, whatever it was built with.
#[test]
fn a_record_names_the_version_that_the_plugin_needs() {
    let versions = |package| {
        let plugin = plugin(package);
        let info = &plugin.descriptor().plugin;
        (info.abi.clone(), info.needs_abi.clone().unwrap())
    };
    let built = format!("{ABI_MAJOR}.{ABI_MINOR}");
    let base = format!("{ABI_MAJOR}.{ABI_MINOR_BASE}");
    assert_eq!(versions("harness-plugin-coop"), (built.clone(), base));
    assert_eq!(versions("harness-plugin-prolip"), (built, "1.2".to_owned()));
}

#[test]
fn two_plugins_side_by_side_are_two_plugins() {
    let coop = plugin("harness-plugin-coop");
    let kgcoop = plugin("harness-plugin-kgcoop");
    let again = plugin("harness-plugin-coop");
    let id = |plugin: &LoadedPlugin| plugin.descriptor().methods[0].id.clone();
    assert_eq!(
        [id(&coop), id(&kgcoop), id(&again)],
        ["coop", "kgcoop", "coop"]
    );
    assert!(kgcoop.open("coop", &serde_json::Value::Null).is_err());
    assert!(coop.open("coop", &serde_json::Value::Null).is_ok());
}

#[test]
fn a_descriptor_says_what_a_user_asks_first() {
    let contcoop = plugin("harness-plugin-contcoop");
    let descriptor = contcoop.descriptor();
    assert_eq!(descriptor.plugin.name, "harness-plugin-contcoop");
    assert_eq!(descriptor.plugin.abi, "1.2");
    assert!(descriptor.plugin.rustc.starts_with("rustc "));
    let card = &descriptor.methods[0];
    assert_eq!(card.paper, "arXiv 2412.20895");
    assert!(card.config_schema["properties"]["class_embedding"].is_object());
    assert_eq!(card.recipe.as_ref().unwrap().epochs, 50);
}

#[test]
fn files_that_are_no_library_are_named() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let missing = folder.path().join("missing.so");
    assert!(load(&missing).contains("no such plugin file"));
    assert!(load(folder.path()).contains("found a folder"));
    assert!(load(&at("empty.so", b"")).contains("found an empty file"));
    let text = load(&at("text.so", b"#!/bin/sh\necho hello\n"));
    assert!(
        text.contains("expected a shared library, found something else"),
        "{text}"
    );
    let bytes = std::fs::read(library("harness-plugin-coop")).unwrap();
    for length in [10, 63, 200, 5000, bytes.len() / 2] {
        let path = at("truncated.so", &bytes[..length]);
        let error = LoadedPlugin::load(&path).err().unwrap();
        assert!(
            error.to_string().contains("truncated.so"),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_library_without_the_symbol_is_no_plugin() {
    let deps = std::env::current_exe().unwrap();
    let other = std::fs::read_dir(deps.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.contains("serde_derive") && name.ends_with(std::env::consts::DLL_SUFFIX)
        })
        .unwrap();
    let text = load(&other);
    assert!(
        text.contains("expected the symbol HARNESS_PLUGIN_RECORD"),
        "{text}"
    );
    assert!(text.contains("export_plugin!"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_plugin_for_another_processor_is_named_as_such() {
    let folder = TempDir::new().unwrap();
    let foreign: u16 = if cfg!(target_arch = "aarch64") {
        62
    } else {
        183
    };
    let path = altered(&folder, |bytes| {
        bytes[18..20].copy_from_slice(&foreign.to_le_bytes());
    });
    let text = load(&path);
    assert!(text.contains("build the plugin for this machine"), "{text}");
    assert!(matches!(
        LoadedPlugin::load(&path),
        Err(LoadError::Platform { .. })
    ));
}

#[test]
fn another_abi_version_is_refused_before_any_code_runs() {
    let folder = TempDir::new().unwrap();
    for (version, found) in [([2, 0, 0, 0], "found 2.0"), ([1, 0, 9, 0], "found 1.9")] {
        let path = altered(&folder, |bytes| {
            let at = record_at(bytes) + 8;
            bytes[at..at + 4].copy_from_slice(&version);
        });
        let text = load(&path);
        assert!(text.contains("expected plugin ABI 1.0 to 1.2"), "{text}");
        assert!(text.contains(found), "{text}");
        assert!(text.contains("rebuild the plugin"), "{text}");
    }
}

#[test]
fn a_plugin_that_aborts_on_panic_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = altered(&folder, |bytes| {
        let at = record_at(bytes) + 12;
        bytes[at] = 0;
    });
    assert!(load(&path).contains("expected panic = \"unwind\""));
}
