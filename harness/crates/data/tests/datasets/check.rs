//! What a check says of sound and of damaged data.

use crate::support::{options, png, put, write_toy};
use harness_data::{Dataset, DatasetCheck, OpenOptions, Split};

fn check(root: &std::path::Path, options: &OpenOptions) -> DatasetCheck {
    DatasetCheck::run(root, options, true, &|_, _| {}).unwrap()
}

#[test]
fn a_sound_data_set_has_counts_and_the_hash_of_a_run() {
    let root = tempfile::tempdir().unwrap();
    write_toy(root.path());
    let check = check(root.path(), &OpenOptions::default());
    assert_eq!(check.counts, [[3, 1, 2], [4, 1, 2]]);
    assert_eq!(check.len(Split::Train), 7);
    assert_eq!(check.problems, []);
    // Both of its classes are called missile.
    let notes: Vec<String> = check.notes.iter().map(|note| note.describe()).collect();
    assert_eq!(
        notes,
        ["class name used twice (zero-shot cannot tell them apart) (1): `missile` (0, 1)"]
    );
    let data = Dataset::open(root.path()).unwrap();
    assert_eq!(
        check.manifest_sha256.as_deref(),
        Some(data.manifest_sha256())
    );
}

#[test]
fn everything_is_counted_and_named_at_once() {
    let root = tempfile::tempdir().unwrap();
    let split = serde_json::json!({
        "train": [["a.png", 0, "cat"], ["b.png", 1, "dog"], ["gone.png", 1, "dog"]],
        "val": [],
        "test": [["c.png", 0, "cat"], ["../d.png", 1, "dog"], ["cut.jpg", 0, "cat"], ["d.png", 1, "hound"]],
    });
    put(root.path(), "split_zhou_OxfordPets.json", split.to_string());
    for (name, number) in [("a", 1), ("b", 2), ("c", 1), ("d", 3)] {
        put(root.path(), &format!("images/{name}.png"), png(number));
    }
    put(root.path(), "d.png", png(4));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = crate::support::picture(64, 64, 5);
    picture
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let jpeg = jpeg.into_inner();
    put(root.path(), "images/cut.jpg", &jpeg[..jpeg.len() / 2]);
    let lenient = options(|it| it.allow_missing = true);
    let check = check(root.path(), &lenient);
    let found: Vec<(&str, usize)> = check
        .problems
        .iter()
        .map(|group| (group.kind, group.items.len()))
        .collect();
    assert_eq!(
        found,
        [
            ("path with `..`", 1),
            ("two names for one label", 1),
            ("missing image", 1),
            ("unreadable image", 1),
        ]
    );
    assert_eq!(check.missing, 2);
    assert_eq!(check.manifest_sha256, None);
    let notes: Vec<String> = check.notes.iter().map(|kind| kind.describe()).collect();
    assert!(
        notes[0].contains("2 classes, published are 37"),
        "{notes:?}"
    );
    assert_eq!(
        notes[1],
        "test image that is also in train or val (1): c.png = a.png"
    );
}

#[test]
fn what_may_be_missing_leaves_the_hash_of_a_lenient_run() {
    let root = tempfile::tempdir().unwrap();
    let csv = "path,class,split\na.png,a,train\nb.png,a,train\nc.png,a,test\n";
    put(root.path(), "manifest.csv", csv);
    put(root.path(), "a.png", png(1));
    put(root.path(), "c.png", png(2));
    let strict = check(root.path(), &OpenOptions::default());
    assert_eq!((strict.missing, strict.manifest_sha256), (1, None));
    let lenient = options(|it| it.allow_missing = true);
    let data = Dataset::open_with(root.path(), &lenient).unwrap();
    assert_eq!(
        check(root.path(), &lenient).manifest_sha256.as_deref(),
        Some(data.manifest_sha256())
    );
}
