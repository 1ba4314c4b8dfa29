//! The files of a new plugin.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::io;
use std::path::{Path, PathBuf};

use harness_store::write_atomically;

use super::{PluginName, Sdk};

/// Paths in the crate and templates.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("../plugin_template/Cargo.toml")),
    ("src/lib.rs", include_str!("../plugin_template/lib.rs")),
    (
        "tests/conformance.rs",
        include_str!("../plugin_template/conformance.rs"),
    ),
    ("suite.yaml", include_str!("../plugin_template/suite.yaml")),
    (
        ".github/workflows/check.yml",
        include_str!("../plugin_template/check.yml"),
    ),
    ("README.md", include_str!("../plugin_template/README.md")),
    (".gitignore", include_str!("../plugin_template/gitignore")),
];

/// Writes a crate into `folder`, which must not exist or be empty.
///
/// # Errors
/// The folder has files in it or cannot be written to.
pub(crate) fn write(folder: &Path, name: &PluginName, sdk: &Sdk) -> io::Result<()> {
    if folder.exists() && fs_err::read_dir(folder)?.next().is_some() {
        let message = format!("{} is not empty", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for (path, template) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        write_atomically(&path, filled(template, name, sdk).as_bytes())?;
    }
    Ok(())
}

/// Writes a Python file into `folder` and says where. It must not exist.
///
/// # Errors
/// The file exists or cannot be written.
pub(crate) fn write_python(folder: &Path, name: &PluginName) -> io::Result<PathBuf> {
    let path = folder.join(format!("{}.py", name.in_code()));
    if path.exists() {
        let message = format!("{} exists", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    fs_err::create_dir_all(folder)?;
    let text = include_str!("../plugin_template/method.py")
        .replace("@NAME@", &name.to_string())
        .replace("@TYPE@", &name.of_type());
    write_atomically(&path, text.as_bytes())?;
    Ok(path)
}

/// The file name of the library that cargo builds.
pub(crate) fn library(name: &PluginName) -> String {
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.in_code())
}

fn filled(template: &str, name: &PluginName, sdk: &Sdk) -> String {
    template
        .replace("@NAME@", &name.to_string())
        .replace("@CRATE@", &name.in_code())
        .replace("@TYPE@", &name.of_type())
        .replace("@LIBRARY@", &library(name))
        .replace("@SDK@", &sdk.dependency())
}
