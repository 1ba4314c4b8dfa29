//! A damaged or malicious sheet data set gives one error that says what is wrong.

use std::path::Path;

use crate::support::write_toy;
use harness_data::{DataError, Dataset, OpenOptions, Summary};
use serde_json::{Value, json};

/// The error of a toy data set whose manifest has been edited.
fn error_after(edit: impl FnOnce(&mut Value)) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    write_toy(dir.path());
    let path = dir.path().join("dataset.json");
    let text = std::fs::read_to_string(&path).expect("the manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
    edit(&mut manifest);
    std::fs::write(&path, manifest.to_string()).expect("a writable folder");
    let error = Dataset::open(dir.path()).expect_err("must be refused");
    let message = error.to_string();
    assert!(message.contains("dataset.json"), "{message}");
    message
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{message}` lacks `{part}`");
    }
}

#[test]
fn labels_out_of_range_are_counted_and_the_first_ten_named() {
    let message = error_after(|manifest| {
        manifest["splits"]["train"]["labels"] = json!([7, 0, 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 9]);
    });
    let parts = [
        "12 problem(s)",
        "label out of range (12)",
        "train[0] = 7 with 2 classes",
        "and 2 more",
    ];
    assert_says(&message, &parts);
    assert!(!message.contains("train[13]"), "{message}");
}

#[test]
fn several_kinds_of_mistakes_are_told_at_once() {
    let message = error_after(|manifest| {
        manifest["classes"][1]["id"] = json!("n1");
        manifest["templates"] = json!(["no mark", "{} and {}", "a {}."]);
        manifest["splits"]["val"]["columns"] = json!(0);
        manifest["splits"]["val"]["labels"] = json!([0, 2]);
        manifest["tile"] = json!([0, 4]);
        manifest["name"] = json!(" ");
    });
    let parts = [
        "class id used twice (1): `n1`",
        "`no mark` has 0, `{} and {}` has 2",
        "sprite sheet without columns (1): val",
        "val[1] = 2",
        "empty tile (1): 0x4",
        "empty text (1): name",
        "7 problem(s)",
    ];
    assert_says(&message, &parts);
}

#[test]
fn a_class_without_train_images_is_named() {
    let message = error_after(|manifest| {
        let more = json!({"name": "kite", "id": "n3"});
        manifest["classes"].as_array_mut().unwrap().push(more);
    });
    assert_says(&message, &["class without train images (1): `n3` (2)"]);
}

#[test]
fn lists_without_entries_are_refused() {
    let message = error_after(|manifest| {
        manifest["templates"] = json!([]);
        manifest["splits"]["test"]["labels"] = json!([]);
    });
    assert_says(&message, &["empty list (1): templates"]);
    assert_says(&message, &["split without images (1): test"]);
    assert_says(&error_after(|m| m["classes"] = json!([])), &["classes"]);
}

#[test]
fn a_sheet_outside_the_folder_is_refused() {
    for path in [
        "../train.png",
        "/etc/passwd",
        "a/../../x.png",
        "C:\\x.png",
        "",
    ] {
        let message = error_after(|manifest| manifest["splits"]["train"]["sheet"] = json!(path));
        let named = format!("train: `{path}`");
        assert_says(&message, &["outside the data set's folder (1)", &named]);
    }
}

#[test]
fn a_sheet_too_small_for_its_labels_is_refused() {
    let message = error_after(|manifest| {
        manifest["splits"]["test"]["labels"] = json!([0, 0, 1, 1, 1, 1, 0]);
    });
    let parts = [
        "test.png has 15x8 pixels",
        "7 tiles of 5x4 in 3 columns need 15x12",
    ];
    assert_says(&message, &parts);
}

#[test]
fn sizes_that_overflow_are_refused() {
    let huge = json!([u32::MAX, u32::MAX]);
    let message = error_after(|manifest| {
        manifest["tile"] = huge;
        manifest["splits"]["test"]["columns"] = json!(u32::MAX);
    });
    assert_says(&message, &["wrong size (3)"]);
}

#[test]
fn unknown_keys_wrong_types_and_other_versions_are_refused() {
    let message = error_after(|manifest| manifest["licence"] = json!("MIT"));
    assert_says(&message, &["unknown field `licence`"]);
    let message = error_after(|manifest| manifest["splits"]["dev"] = json!({}));
    assert_says(&message, &["unknown field `dev`"]);
    let message = error_after(|manifest| manifest["splits"]["val"]["labels"] = json!([-1, 0]));
    assert_says(&message, &["-1"]);
    let message = error_after(|manifest| manifest["format"] = json!("sheet/2"));
    assert_says(&message, &["`sheet/2`", "`sheet/1`"]);
}

/// A PNG whose header claims `side` x `side` pixels and that holds none of them.
fn bomb(path: &Path, side: u32) {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(side.to_be_bytes());
    chunk.extend(side.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    bytes.extend(13_u32.to_be_bytes());
    let sum = crc32(&chunk);
    bytes.extend(chunk);
    bytes.extend(sum.to_be_bytes());
    bytes.extend([0, 0, 0, 0]);
    bytes.extend(b"IDAT");
    bytes.extend(crc32(b"IDAT").to_be_bytes());
    std::fs::write(path, bytes).expect("a writable folder");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |mut sum, &byte| {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
        sum
    })
}

#[test]
fn an_image_that_claims_too_many_pixels_is_refused_before_decoding() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    bomb(&dir.path().join("train.png"), 60_000);
    let message = Dataset::open(dir.path()).unwrap_err().to_string();
    assert_says(
        &message,
        &["unreadable sprite sheet (1)", "60000x60000 pixels"],
    );
}

#[test]
fn broken_sheets_are_errors_at_opening_or_at_reading() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    let sheet = dir.path().join("val.png");
    let whole = std::fs::read(&sheet).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&sheet, &whole[..cut]).unwrap();
        let result =
            Dataset::open(dir.path()).and_then(|data| data.image(harness_data::Split::Val, 1));
        if let Err(error) = result {
            assert_says(&error.to_string(), &["val.png"]);
        } else {
            // Nothing but the closing chunk may be missing from a readable sheet.
            assert!(cut + 12 >= whole.len(), "cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn a_truncated_manifest_is_an_error_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    let path = dir.path().join("dataset.json");
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() - 1 {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = Summary::read(dir.path(), &OpenOptions::default()).unwrap_err();
        assert!(matches!(error, DataError::Malformed { .. }), "{error}");
    }
}

#[test]
fn a_folder_of_no_known_format_says_what_was_sought() {
    let dir = tempfile::tempdir().unwrap();
    let message = Dataset::open(dir.path()).unwrap_err().to_string();
    assert_says(&message, &["dataset.json", "train/ and test/"]);
    let gone = dir.path().join("gone");
    let message = Dataset::open(&gone).unwrap_err().to_string();
    assert_says(&message, &["gone", "No such file"]);
}
