//! CLIP_benchmark's shards, sound and damaged.

use std::path::Path;

use crate::support::{png, put, put_tar};
use harness_data::{Dataset, Split};

fn sound(root: &Path) {
    put(root, "classnames.txt", "tench\nmissile\nmissile\n");
    put(
        root,
        "zeroshot_classification_templates.txt",
        "a photo of a {c}.\na {c}.\n",
    );
    for split in ["train", "test"] {
        put(root, &format!("{split}/nshards.txt"), "2\n");
        for shard in [0, 1] {
            let images: Vec<Vec<u8>> = (0..3).map(|n| png(shard * 3 + n)).collect();
            put_tar(
                root,
                &format!("{split}/{shard}.tar"),
                &[
                    ("s0.png", &images[0]),
                    ("s0.cls", b"0\n"),
                    ("s0.json", b"{}"),
                    ("./deep/s1.cls", b"1"),
                    ("./deep/s1.webp", &images[1]),
                    ("s2.x.jpg", b"no sample"),
                    ("s3.JPG", &images[2]),
                    ("s3.cls", b"2"),
                ],
            );
        }
    }
}

#[test]
fn a_blank_line_is_a_class_without_a_name_and_shifts_no_label() {
    let root = tempfile::tempdir().unwrap();
    sound(root.path());
    // Three labels in use: without the blank line the list would fit, one name off.
    put(
        root.path(),
        "classnames.txt",
        "tench\n\ngoldfish\nmissile\n",
    );
    let message = error(root.path());
    assert!(message.contains("class without a name"), "{message}");
    assert!(message.contains("class 1, line 2 of"), "{message}");
    put(
        root.path(),
        "classnames.txt",
        "tench\r\ngoldfish\r\nmissile\r\n\r\n",
    );
    let data = Dataset::open(root.path()).unwrap();
    assert_eq!(data.class_names(), ["tench", "goldfish", "missile"]);
}

fn error(root: &Path) -> String {
    let error = Dataset::open(root).unwrap_err().to_string();
    assert!(!error.contains('\n'));
    error
}

#[test]
fn shards_are_read_in_place_in_the_order_of_their_numbers() {
    let root = tempfile::tempdir().unwrap();
    sound(root.path());
    for split in ["train", "test"] {
        let dir = root.path().join(split);
        std::fs::rename(dir.join("1.tar"), dir.join("10.tar")).unwrap();
        std::fs::rename(dir.join("0.tar"), dir.join("9.tar")).unwrap();
    }
    let data = Dataset::open(root.path()).unwrap();
    assert_eq!(data.templates(), ["a photo of a {}.", "a {}."]);
    assert_eq!(data.class_names(), ["tench", "missile", "missile"]);
    assert_eq!(data.class_ids(), ["tench", "missile (1)", "missile (2)"]);
    assert_eq!(data.split(Split::Test).labels, [0, 1, 2, 0, 1, 2]);
    for index in 0..6 {
        let pixel = data.image(Split::Train, index).unwrap().get_pixel(0, 0).0;
        assert_eq!(pixel, [0, 0, index as u8]);
    }
}

#[test]
fn damaged_shards_are_refused_in_one_line() {
    let root = tempfile::tempdir().unwrap();
    sound(root.path());
    let path = root.path().join("test/1.tar");
    let whole = std::fs::read(&path).unwrap();
    for (cut, part) in [
        (0, "incomplete: the end marker of a tar file is missing"),
        (700, "incomplete: the end marker of a tar file is missing"),
        (1024, "incomplete: the end marker of a tar file is missing"),
        (
            whole.len() - 1024 - 512,
            "incomplete: the end marker of a tar file is missing",
        ),
    ] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let message = error(root.path());
        assert!(
            message.contains("test/1.tar") && message.contains(part),
            "{cut}: {message}"
        );
    }
    std::fs::write(&path, [&whole[..700], &[0; 1024][..]].concat()).unwrap();
    assert!(error(root.path()).contains("test/1.tar"));
    std::fs::remove_file(&path).unwrap();
    let message = error(root.path());
    assert!(
        message.contains("wrong number of shards (1): test: 1 found, nshards.txt says 2"),
        "{message}"
    );
}

#[test]
fn entries_that_leave_their_folder_and_samples_in_part_are_refused() {
    let root = tempfile::tempdir().unwrap();
    sound(root.path());
    let image = png(1);
    for (entries, part) in [
        (
            [("/etc/s.png", &image[..]), ("s.cls", b"0")],
            "absolute path, `..`",
        ),
        (
            [("../s.png", &image[..]), ("s.cls", b"0")],
            "absolute path, `..`",
        ),
        (
            [("a/../../s.png", &image[..]), ("s.cls", b"0")],
            "absolute path, `..`",
        ),
        (
            [("s.png", &image[..]), ("t.cls", b"0")],
            "sample without a class (.cls) (1)",
        ),
        (
            [("s.png", &image[..]), ("s.cls", b"cat")],
            "class that is not a number (1)",
        ),
        (
            [("s.png", &image[..]), ("s.cls", b"7")],
            "label out of range (1): test[3] = 7",
        ),
        (
            [("s.png", b"no image"), ("s.cls", b"0")],
            "unreadable image (1)",
        ),
    ] {
        put_tar(root.path(), "test/1.tar", &entries);
        let message = error(root.path());
        assert!(message.contains(part), "{message} lacks {part}");
    }
}
