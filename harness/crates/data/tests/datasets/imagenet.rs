//! ImageNet's folder trees, and classes that are matched by WNID.

use std::path::Path;

use crate::support::{png, put};
use harness_data::{Dataset, DatasetLocation, KnownDataset, Split};

/// Two classes share a name; the file's order is not that of the folders.
const NAMES: &str =
    "n04008634 projectile\nn03773504 missile\nn04355933 sunglasses\nn04356056 sunglasses\n";
const WNIDS: [&str; 4] = ["n03773504", "n04008634", "n04355933", "n04356056"];

fn open(name: &str, root: &Path) -> Result<Dataset, String> {
    let DatasetLocation::Found(path) = KnownDataset::find(name).unwrap().locate(root) else {
        panic!("{name} is not there");
    };
    // The folder alone says which of them it is.
    let detected = Dataset::open(&path).map_err(|error| error.to_string())?;
    assert_eq!(detected.name(), name);
    Ok(detected)
}

fn imagenet(root: &Path) {
    put(root, "imagenet/classnames.txt", NAMES);
    let mut number = 0;
    for split in ["train", "val"] {
        for wnid in WNIDS {
            for image in ["b.JPEG", "a.JPEG"] {
                put(
                    root,
                    &format!("imagenet/images/{split}/{wnid}/{image}"),
                    png(number),
                );
                number += 1;
            }
        }
    }
}

#[test]
fn folders_give_labels_and_wnids_are_the_ids() {
    let root = tempfile::tempdir().unwrap();
    imagenet(root.path());
    let data = open("imagenet", root.path()).unwrap();
    assert_eq!(data.class_ids(), WNIDS);
    assert_eq!(
        data.class_names(),
        ["missile", "projectile", "sunglasses", "sunglasses"]
    );
    assert_eq!(data.split(Split::Train).labels, [0, 0, 1, 1, 2, 2, 3, 3]);
    assert!(
        data.split(Split::Val).is_empty(),
        "val is everyone's test set"
    );
    assert_eq!(data.len(Split::Test), 8);
    // Within a class in byte order: a.JPEG was written second.
    assert_eq!(
        data.image(Split::Train, 0).unwrap().get_pixel(0, 0).0,
        [0, 0, 1]
    );
}

#[test]
fn shifted_sets_keep_their_wnids_whatever_their_labels() {
    let root = tempfile::tempdir().unwrap();
    imagenet(root.path());
    put(root.path(), "imagenet-adversarial/classnames.txt", NAMES);
    put(
        root.path(),
        "imagenet-adversarial/imagenet-a/README.txt",
        "a test set",
    );
    for (number, wnid) in [WNIDS[3], WNIDS[1]].iter().enumerate() {
        let path = format!("imagenet-adversarial/imagenet-a/{wnid}/x.jpg");
        put(root.path(), &path, png(number as u32));
    }
    let data = open("imagenet-a", root.path()).unwrap();
    assert_eq!(data.class_ids(), [WNIDS[1], WNIDS[3]]);
    assert_eq!(data.class_names(), ["projectile", "sunglasses"]);
    assert_eq!(data.shift_of(), Some("imagenet"));
    assert_eq!(data.split(Split::Test).labels, [0, 1]);

    // Without a list of its own it takes ImageNet's.
    put(
        root.path(),
        &format!("imagenet-sketch/images/{}/s.jpg", WNIDS[2]),
        png(9),
    );
    let data = open("imagenet-sketch", root.path()).unwrap();
    assert_eq!(data.class_names(), ["sunglasses"]);
    put(
        root.path(),
        "imagenet-rendition/imagenet-r/n00000001/r.jpg",
        png(9),
    );
    let error = open("imagenet-r", root.path()).unwrap_err();
    assert!(
        error.contains("not in classnames.txt (1): n00000001"),
        "{error}"
    );
}

#[test]
fn numbered_folders_count_the_lines_of_the_list() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "imagenetv2/classnames.txt", NAMES);
    for label in 0..4 {
        let path = format!("imagenetv2/imagenetv2-matched-frequency-format-val/{label}/i.jpeg");
        put(root.path(), &path, png(label));
    }
    let data = open("imagenetv2", root.path()).unwrap();
    assert_eq!(data.class_ids()[0], "n04008634");
    assert_eq!(data.split(Split::Test).labels, [0, 1, 2, 3]);
    std::fs::remove_dir_all(
        root.path()
            .join("imagenetv2/imagenetv2-matched-frequency-format-val/2"),
    )
    .unwrap();
    let error = open("imagenetv2", root.path()).unwrap_err();
    assert!(error.contains("missing class folder (1)"), "{error}");
}

#[test]
fn a_list_of_another_form_is_refused_with_its_line() {
    let root = tempfile::tempdir().unwrap();
    imagenet(root.path());
    put(
        root.path(),
        "imagenet/classnames.txt",
        "n04008634 projectile\ntench, Tinca tinca\n",
    );
    let error = open("imagenet", root.path()).unwrap_err();
    assert!(
        error.contains("classnames.txt: line 2: found `tench, Tinca tinca`"),
        "{error}"
    );
}
