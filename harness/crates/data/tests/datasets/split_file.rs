//! Split files of CoOp's form, sound and damaged.

use harness_data::{Split, SplitFile};
use serde_json::{Value, json};

fn read(content: &Value) -> Result<SplitFile, String> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("split_zhou_Toy.json");
    std::fs::write(&path, content.to_string()).expect("a writable folder");
    SplitFile::read(&path).map_err(|error| {
        let message = error.to_string();
        assert!(message.contains("split_zhou_Toy.json"), "{message}");
        message
    })
}

fn toy() -> Value {
    json!({
        "train": [["b/1.jpg", 1, "sea_lion"], ["a/1.jpg", 0, "cat"]],
        "val": [],
        "test": [["a/2.jpg", 0, "cat"]],
    })
}

#[test]
fn names_come_in_label_order_and_items_in_file_order() {
    let file = read(&toy()).unwrap();
    assert_eq!(file.class_names, ["cat", "sea_lion"]);
    assert_eq!(file.labels(Split::Train), [1, 0]);
    assert_eq!(file.split(Split::Test)[0].path, "a/2.jpg");
    assert!(file.val.is_empty());
}

#[test]
fn inconsistent_labels_and_names_are_told_together() {
    let mut content = toy();
    content["val"] = json!([["a/3.jpg", 0, "dog"], ["a/4.jpg", 5, "cat"]]);
    content["test"] = json!([["../../etc/passwd", 1, "sea_lion"], ["/a.jpg", 0, "cat"]]);
    let message = read(&content).unwrap_err();
    for part in [
        "4 problem(s)",
        "two names for one label (1): val[0]: label 0 is `cat` and `dog`",
        "label that is not in train (1): val[1] = 5",
        "path with `..` (1): test[0] `../../etc/passwd`",
        "absolute path outside the data set's folder (make it relative) (1): test[1] `/a.jpg`",
    ] {
        assert!(message.contains(part), "`{message}` lacks `{part}`");
    }
}

#[test]
fn paths_as_windows_writes_them_are_read() {
    let mut content = toy();
    content["train"] = json!([["b\\1.jpg", 1, "sea_lion"], [".\\a\\1.jpg", 0, "cat"]]);
    let file = read(&content).unwrap();
    let paths: Vec<&str> = file.train.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, ["b/1.jpg", "a/1.jpg"]);
    content["val"] = json!([["D:\\data\\b\\1.jpg", 1, "sea_lion"]]);
    let message = read(&content).unwrap_err();
    assert!(
        message.contains("absolute path of a Windows machine"),
        "{message}"
    );
}

#[test]
fn labels_that_begin_at_one_are_named_as_such() {
    let mut content = toy();
    content["train"] = json!([["a.jpg", 1, "cat"], ["b.jpg", 2, "dog"]]);
    let message = read(&content).unwrap_err();
    assert!(
        message.contains("labels begin at 1: write `label_base: 1`"),
        "{message}"
    );
}

#[test]
fn labels_must_have_no_gap() {
    let mut content = toy();
    content["train"] = json!([["a.jpg", 0, "cat"], ["b.jpg", 2, "dog"]]);
    let message = read(&content).unwrap_err();
    assert!(
        message.contains("gap in the train labels (1): 1 (the next label is 2)"),
        "{message}"
    );
    content["train"] = json!([]);
    content["test"] = json!([]);
    assert!(read(&content).unwrap_err().contains("empty list"));
}

#[test]
fn other_json_is_refused_with_its_place() {
    for wrong in [
        json!([]),
        json!({"train": []}),
        json!({"train": [["a.jpg", -1, "cat"]], "val": [], "test": []}),
        json!({"train": [["a.jpg", 0]], "val": [], "test": []}),
        json!({"train": [], "val": [], "test": [], "extra": 1}),
    ] {
        let message = read(&wrong).unwrap_err();
        assert!(message.contains("not a split file"), "{message}");
        assert!(message.contains("line 1"), "{message}");
    }
}
