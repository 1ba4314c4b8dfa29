//! Readers withstand what is in their files.

use harness_fuzz::{READERS, Reader, drive};

/// Few enough for every run of the tests; `.ci/run` and the nightly script try more.
const CASES: u64 = 150;

#[test]
fn every_reader_accepts_its_samples() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for reader in &READERS {
        for (number, sample) in (reader.samples)().iter().enumerate() {
            let here = folder.path().join(format!("{}-{number}", reader.name));
            std::fs::create_dir(&here).unwrap_or_else(|error| panic!("{error}"));
            if let Err(refusal) = (reader.read)(sample, &here) {
                panic!("{}: sample {number}: {refusal}", reader.name);
            }
        }
    }
}

#[test]
fn no_reader_panics_or_hangs() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for reader in &READERS {
        let counts = drive(reader, 0..CASES, 1, folder.path());
        let counts = counts.unwrap_or_else(|error| panic!("{}: {error}", reader.name));
        assert!(
            counts.failures.is_empty(),
            "{}: {:?}",
            reader.name,
            counts.failures
        );
        assert_eq!(counts.accepted + counts.refused, CASES);
        assert!(counts.refused > 0, "{}: nothing was refused", reader.name);
    }
}

#[test]
fn the_same_case_is_the_same_input() {
    let reader = Reader::find("suite").unwrap_or_else(|| panic!("no such reader"));
    let samples = (reader.samples)();
    let input = |seed, case| harness_fuzz::input(reader, &samples, seed, case);
    assert_eq!(input(1, 7), input(1, 7));
    assert_ne!(input(1, 7), input(2, 7));
    assert_ne!(input(1, 7), input(1, 8));
}
