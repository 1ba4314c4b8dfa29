//! Builds the crate of a plugin.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness_report::ExitCode;
use serde::Deserialize;

use crate::failure::Failure;

/// A line of `cargo build --message-format=json`, as far as it is used.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    crate_types: Vec<String>,
}

/// The library itself, or what `cargo build` makes of the crate in a folder. cargo's messages go
/// to stderr.
pub(super) fn library(path: &Path) -> Result<PathBuf, Failure> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let shown = path.display();
    let manifest = path.join("Cargo.toml");
    if !manifest.is_file() {
        let message = format!("{shown}: expected a shared library or the folder of a crate");
        return Err(
            Failure::new(ExitCode::SetUp, message).hint("`harness plugin new NAME` writes a crate")
        );
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("{shown}: cannot run {}: {error}", cargo.display());
        Failure::new(ExitCode::SetUp, message)
    };
    let mut child = Command::new(&cargo)
        .args(["build", "--message-format=json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    let wanted = manifest.canonicalize().unwrap_or(manifest);
    let mut library = None;
    for line in child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
    {
        let line = line.map_err(|error| failed(&error))?;
        // Build scripts may print lines that are no messages.
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        let is_ours = message.reason == "compiler-artifact" && message.manifest_path == wanted;
        if is_ours
            && message
                .target
                .crate_types
                .iter()
                .any(|kind| kind == "cdylib")
        {
            let suffix = std::env::consts::DLL_EXTENSION;
            let mut files = message.filenames.into_iter();
            library = files.find(|file| file.extension().is_some_and(|e| e == suffix));
        }
    }
    let status = child.wait().map_err(|error| failed(&error))?;
    if !status.success() {
        return Err(Failure::new(
            ExitCode::SetUp,
            format!("{shown}: it does not build"),
        ));
    }
    library.ok_or_else(|| {
        let message = format!("{shown}: the crate builds no shared library");
        Failure::new(ExitCode::SetUp, message)
            .hint("add `[lib] crate-type = [\"cdylib\", \"rlib\"]` to its Cargo.toml")
    })
}
