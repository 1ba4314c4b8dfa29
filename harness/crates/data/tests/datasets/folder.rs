//! The image-folder format.

use std::path::Path;

use crate::support::picture;
use harness_data::{DataError, Dataset, OpenOptions, Split, Summary};

fn put(root: &Path, name: &str, seed: u32) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().expect("a class folder")).expect("a writable folder");
    picture(6 + seed, 4, seed).save(path).expect("a picture");
}

/// Two classes, three training and two test images, no val.
fn pets(root: &Path) {
    put(root, "train/sea_lion/b.png", 0);
    put(root, "train/sea_lion/a.png", 1);
    put(root, "train/Cat/z.PNG", 2);
    put(root, "test/Cat/q.png", 3);
    put(root, "test/sea_lion/q.png", 4);
}

fn error(root: &Path) -> String {
    Dataset::open(root)
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn folders_are_classes_in_sorted_order() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("my_pets");
    pets(&root);
    std::fs::write(root.join("train/.DS_Store"), "litter").unwrap();
    std::fs::write(root.join("train/Cat/Thumbs.db"), "litter").unwrap();
    let data = Dataset::open(&root).unwrap();
    assert_eq!(data.name(), "my_pets");
    assert_eq!(data.class_names(), ["Cat", "sea lion"]);
    assert_eq!(data.class_ids(), ["Cat", "sea_lion"]);
    assert_eq!(data.templates(), ["a photo of a {}."]);
    assert_eq!(data.split(Split::Train).labels, [0, 1, 1]);
    assert_eq!(data.split(Split::Test).labels, [0, 1]);
    assert!(data.split(Split::Val).is_empty());
    let train: Vec<_> = (0..3)
        .map(|index| data.image(Split::Train, index).unwrap())
        .collect();
    assert!(train == [picture(8, 4, 2), picture(7, 4, 1), picture(6, 4, 0)]);
    let summary = Summary::read(&root, &OpenOptions::default()).unwrap();
    assert_eq!(summary.format, "image-folder");
    assert_eq!(Split::ALL.map(|split| summary.len(split)), [3, 0, 2]);
}

#[test]
fn the_content_decides_the_format_of_an_image() {
    let dir = tempfile::tempdir().unwrap();
    pets(dir.path());
    put(dir.path(), "val/Cat/real.png", 5);
    let val = dir.path().join("val/Cat");
    std::fs::rename(val.join("real.png"), val.join("named.jpg")).unwrap();
    let data = Dataset::open(dir.path()).unwrap();
    assert!(data.image(Split::Val, 0).unwrap() == picture(11, 4, 5));
}

#[test]
fn the_digest_follows_names_and_pixels() {
    let dir = tempfile::tempdir().unwrap();
    pets(dir.path());
    let digest = || {
        Dataset::open(dir.path())
            .unwrap()
            .manifest_sha256()
            .to_owned()
    };
    let mut seen = vec![digest()];
    assert_eq!(seen[0], digest());
    put(dir.path(), "test/Cat/q.png", 9);
    seen.push(digest());
    put(dir.path(), "val/Cat/q.png", 9);
    seen.push(digest());
    for split in Split::ALL {
        let root = dir.path().join(split.as_str());
        std::fs::rename(root.join("Cat"), root.join("Dog")).unwrap();
    }
    seen.push(digest());
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn everything_wrong_is_told_in_one_error() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    pets(root);
    put(root, "test/walrus/a.png", 5);
    std::fs::create_dir(root.join("train/empty")).unwrap();
    std::fs::write(root.join("train/Cat/note.txt"), "hello").unwrap();
    std::fs::write(root.join("train/list.csv"), "hello").unwrap();
    std::fs::write(root.join("test/Cat/broken.jpg"), "not a picture").unwrap();
    let message = error(root);
    for part in [
        "5 problem(s)",
        "class folder that is not in train/ (1)",
        "walrus",
        "class without train images (1): `empty`",
        "note.txt",
        "list.csv",
        "unreadable image (1)",
        "broken.jpg",
    ] {
        assert!(message.contains(part), "`{message}` lacks `{part}`");
    }
}

#[test]
fn a_test_folder_without_images_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "train/cat/a.png", 1);
    std::fs::create_dir(dir.path().join("test")).unwrap();
    let message = error(dir.path());
    assert!(
        message.contains("split without images (1): test"),
        "{message}"
    );
}

#[test]
fn an_image_that_changes_after_opening_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    pets(dir.path());
    let data = Dataset::open(dir.path()).unwrap();
    put(dir.path(), "test/Cat/q.png", 8);
    let error = data.image(Split::Test, 0).unwrap_err();
    assert!(matches!(error, DataError::Changed { .. }), "{error}");
    std::fs::remove_file(dir.path().join("test/sea_lion/q.png")).unwrap();
    let error = data.image(Split::Test, 1).unwrap_err();
    assert!(error.to_string().contains("q.png"), "{error}");
}
