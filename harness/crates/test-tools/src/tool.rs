//! Programs of other people that tests hold the exporters against.

use std::path::PathBuf;

/// The program called `name` on `PATH`. Where there is none the test that asked says that
/// it was skipped, or fails if `HARNESS_REQUIRE_TOOLS` is 1.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        skipped(name);
    }
    found
}

/// Says that a test was skipped for want of `name`, or fails it.
pub fn skipped(name: &str) {
    let is_required = std::env::var_os("HARNESS_REQUIRE_TOOLS").is_some_and(|v| v == "1");
    assert!(
        !is_required,
        "there is no {name}, and HARNESS_REQUIRE_TOOLS is 1"
    );
    eprintln!("skipped: there is no {name}");
}
