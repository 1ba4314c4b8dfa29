//! Notes the compiler, for plugins' version records and reports' provenance.

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
    println!("cargo:rerun-if-changed=build.rs");
}
