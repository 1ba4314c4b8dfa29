//! CSV and JSON lines, and random splits by seed.

use std::path::Path;

use crate::support::{options, png, put};
use harness_data::{Dataset, DatasetCheck, OpenOptions, RandomSplit, Split};

fn images(root: &Path, count: u32) {
    for number in 0..count {
        put(root, &format!("pictures/{number}.png"), png(number));
    }
}

fn error(path: &Path, options: &OpenOptions) -> String {
    Dataset::open_with(path, options).unwrap_err().to_string()
}

const CSV: &str = "\u{feff}split,class,path,label,id
test, mug,pictures/0.png,1,sku-7
train,\"mug\",pictures/1.png,1,sku-7
train,tea_pot,pictures/2.png,0,sku-9
val,tea_pot,pictures/3.png,0,sku-9
";

#[test]
fn a_table_reads_the_same_as_csv_and_as_json_lines() {
    let root = tempfile::tempdir().unwrap();
    images(root.path(), 4);
    put(root.path(), "products.csv", CSV);
    let data = Dataset::open(&root.path().join("products.csv")).unwrap();
    assert_eq!(data.name(), "products");
    assert_eq!(data.class_names(), ["tea pot", "mug"]);
    assert_eq!(data.class_ids(), ["sku-9", "sku-7"]);
    assert_eq!(Split::ALL.map(|split| data.len(split)), [2, 1, 1]);
    assert_eq!(data.split(Split::Train).labels, [1, 0]);
    let lines = "\
{\"path\": \"pictures/0.png\", \"class\": \"mug\", \"split\": \"test\", \"label\": 1, \"id\": \"sku-7\"}\r
{\"path\": \"pictures/1.png\", \"class\": \"mug\", \"split\": \"train\", \"label\": 1, \"id\": \"sku-7\"}

{\"path\": \"pictures/2.png\", \"class\": \"tea_pot\", \"split\": \"train\", \"label\": 0, \"id\": \"sku-9\"}
{\"path\": \"pictures/3.png\", \"class\": \"tea_pot\", \"split\": \"val\", \"label\": 0, \"id\": \"sku-9\"}
";
    put(root.path(), "manifest.jsonl", lines);
    let other = Dataset::open(root.path()).unwrap();
    assert_eq!(other.manifest_sha256(), data.manifest_sha256());
}

/// A table as a program saves it, with its rows.
fn saved(separator: &str, path: &dyn Fn(u32) -> String) -> String {
    let mut text = ["path", "class", "split"].join(separator) + "\r\n";
    for (number, class, split) in [
        (0, "\"goldfish, Carassius\"", "train"),
        (1, "F/A-18", "train"),
        (2, "F/A-18", "test"),
    ] {
        text += &([&path(number), class, split].join(separator) + "\r\n");
    }
    text
}

#[test]
fn tables_read_alike_however_a_spreadsheet_saves_them() {
    let root = tempfile::tempdir().unwrap();
    images(root.path(), 3);
    let plain = |n: u32| format!("pictures/{n}.png");
    let text = saved(",", &plain);
    let utf16 = |mark: u16| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let bytes = |unit: u16| {
            if mark == 0 {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        units.flat_map(bytes).collect()
    };
    let absolute = |n: u32| root.path().join(plain(n)).display().to_string();
    let variants = [
        ("plain", text.clone().into_bytes()),
        ("bom", format!("\u{feff}{text}").into_bytes()),
        ("blank", format!("{text}\r\n\r\n").into_bytes()),
        (
            "capital",
            text.replace("path,class,split", "Path, Class, SPLIT")
                .into_bytes(),
        ),
        ("semicolon", saved(";", &plain).into_bytes()),
        ("tab", saved("\t", &plain).into_bytes()),
        ("little", utf16(0)),
        ("big", utf16(1)),
        (
            "dot",
            saved(",", &|n| format!("./{}", plain(n))).into_bytes(),
        ),
        (
            "windows",
            saved(",", &|n| format!(".\\pictures\\{n}.png")).into_bytes(),
        ),
        ("absolute", saved(",", &absolute).into_bytes()),
    ];
    let mut manifests = Vec::new();
    for (name, bytes) in variants {
        put(root.path(), "t.csv", bytes);
        let path = root.path().join("t.csv");
        let check = DatasetCheck::run(&path, &OpenOptions::default(), true, &|_, _| {}).unwrap();
        assert_eq!(check.problems, [], "{name}");
        let mended = check.notes.iter().any(|note| note.items.len() == 3);
        assert_eq!(mended, ["windows", "absolute"].contains(&name), "{name}");
        manifests.push(check.manifest_sha256.unwrap());
    }
    assert!(manifests.iter().all(|manifest| *manifest == manifests[0]));
}

#[test]
fn a_path_that_cannot_be_read_says_nothing_of_splits() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("t.csv");
    put(
        root.path(),
        "t.csv",
        "path,class,split\nC:\\x\\0.png,a,train\n",
    );
    let message = error(&path, &OpenOptions::default());
    assert!(
        message.contains("absolute path of a Windows machine"),
        "{message}"
    );
    assert!(!message.contains("without splits"), "{message}");
    put(
        root.path(),
        "t.csv",
        "path,class,split,label\n0.png,a,train,1\n0.png,a,test,1\n",
    );
    let message = error(&path, &OpenOptions::default());
    assert!(
        message.contains("labels begin at 1, write `label_base: 1`"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_with_a_table_is_told_with_its_row() {
    let root = tempfile::tempdir().unwrap();
    images(root.path(), 4);
    let path = root.path().join("t.csv");
    for (text, part) in [
        ("path,class\n../x.png,a\n", "path with `..` (1): row 1"),
        (
            "path,class\n/etc/passwd,a\n",
            "absolute path outside the data set's folder (make it relative) (1): row 1",
        ),
        (
            "path,class,split\na.png,a,training\n",
            "other than train, val or test (1): row 1",
        ),
        (
            "path,class,split\na.png,a,train\nb.png,a,\n",
            "without a split although others have one (1)",
        ),
        (
            "path,class,id\na.png,a,1\nb.png,b,1\n",
            "two names for one class id (1): row 2",
        ),
        (
            "path,class,label\na.png,a,0\nb.png,a,1\n",
            "class with two labels (1): row 2",
        ),
        (
            "path,class,label\na.png,a,1\n",
            "labels that are not 0, 1, 2",
        ),
        (
            "path,class,label\na.png,a,one\n",
            "expected the columns path and class",
        ),
        (
            "file,class\na.png,a\n",
            "expected the columns path and class",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let message = error(&path, &OpenOptions::default());
        assert!(message.contains(part), "{message} lacks {part}");
        assert!(!message.contains('\n'));
    }
    put(
        root.path(),
        "t.jsonl",
        "{\"path\": \"a\", \"class\": \"a\"}\n{\"path\": 3}\n",
    );
    let message = error(&root.path().join("t.jsonl"), &OpenOptions::default());
    assert!(
        message.contains("line 2: invalid type: integer `3`"),
        "{message}"
    );
}

#[test]
fn images_are_divided_by_seed_class_by_class() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        let class = if number < 20 { "cat" } else { "dog" };
        put(
            root.path(),
            &format!("{class}/{number:02}.png"),
            png(number),
        );
    }
    let message = error(root.path(), &OpenOptions::default());
    assert!(message.contains("split: {seed: 1, test: 0.2}"), "{message}");
    let split_at_random = |seed, val, test| {
        let random_split = RandomSplit { seed, val, test };
        Dataset::open_with(
            root.path(),
            &options(|it| it.random_split = Some(random_split)),
        )
    };
    let data = split_at_random(1, 0.1, 0.25).unwrap();
    assert_eq!(Split::ALL.map(|split| data.len(split)), [20, 3, 7]);
    assert_eq!(data.split(Split::Test).labels, [0, 0, 0, 0, 0, 1, 1]);
    let hash = |seed| {
        split_at_random(seed, 0.1, 0.25)
            .unwrap()
            .manifest_sha256()
            .to_owned()
    };
    assert_eq!(hash(1), data.manifest_sha256());
    assert_ne!(hash(1), hash(2));
    // random.seed(1); random.sample(range(20), 5) without val.
    let alone = split_at_random(1, 0.0, 0.25).unwrap();
    let mut drawn = [4, 18, 2, 8, 3];
    drawn.sort_unstable();
    let found: Vec<u8> = (0..5)
        .map(|index| alone.image(Split::Test, index).unwrap().get_pixel(0, 0).0[2])
        .collect();
    assert_eq!(found, drawn);
    assert!(
        split_at_random(1, 0.5, 0.5)
            .unwrap_err()
            .to_string()
            .contains("nothing for train")
    );
}
