//! Notes the compiler and its optimisation level, for plugins' version records and reports'
//! provenance.

use std::{env, process::Command};

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_else(|| "rustc (unknown)".to_owned());
    println!("cargo:rustc-env=HARNESS_RUSTC={}", version.trim());
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo:rustc-env=HARNESS_OPT_LEVEL={level}");
    println!("cargo:rerun-if-changed=build.rs");
}
