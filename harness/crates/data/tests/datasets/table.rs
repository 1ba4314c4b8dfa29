//! CSV and JSON lines, and random splits by seed.

use std::path::Path;

use crate::support::{options, png, put};
use harness_data::{Dataset, OpenOptions, RandomSplit, Split};

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

#[test]
fn what_is_wrong_with_a_table_is_told_with_its_row() {
    let root = tempfile::tempdir().unwrap();
    images(root.path(), 4);
    let path = root.path().join("t.csv");
    for (text, part) in [
        (
            "path,class\n../x.png,a\n",
            "outside the table's folder (1): row 1",
        ),
        (
            "path,class\n/etc/passwd,a\n",
            "outside the table's folder (1): row 1",
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
