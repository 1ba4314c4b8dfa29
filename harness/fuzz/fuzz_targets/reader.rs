//! One reader under libFuzzer: `HARNESS_READER` names it, `suite` by default.
#![no_main]

use std::sync::LazyLock;

use harness_fuzz::Reader;
use libfuzzer_sys::fuzz_target;

static READER: LazyLock<&Reader> = LazyLock::new(|| {
    let name = std::env::var("HARNESS_READER").unwrap_or_else(|_| "suite".to_owned());
    Reader::find(&name).unwrap_or_else(|| panic!("no reader {name:?}"))
});

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for the reader's files"));

fuzz_target!(|bytes: &[u8]| {
    // Refusing is right; panicking, hanging and taking too much memory are not.
    let _ = (READER.read)(bytes, FOLDER.path());
});
