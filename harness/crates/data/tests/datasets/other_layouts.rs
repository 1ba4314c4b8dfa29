//! Data as other tools leave it: nested folders, tables of `datasets`, compressed shards, other formats.

use std::io::Write;
use std::path::{Path, PathBuf};

use harness_data::{Dataset, DatasetCheck, OpenOptions, Split, read_image};

fn picture(path: &Path, level: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let image = image::RgbImage::from_pixel(4, 3, image::Rgb([level, 7, 9]));
    image.save(path).unwrap();
}

fn open(path: &Path, options: &OpenOptions) -> Result<Dataset, String> {
    Dataset::open_with(path, options).map_err(|error| error.to_string())
}

fn check(path: &Path) -> DatasetCheck {
    DatasetCheck::run(path, &OpenOptions::default(), true, &|_, _| ()).unwrap()
}

#[test]
fn images_below_a_class_folder_are_of_that_class() {
    let folder = tempfile::tempdir().unwrap();
    for (path, level) in [
        ("train/cat/a.png", 1),
        ("train/cat/tabby/old/b.png", 2),
        ("train/dog/c.png", 3),
        ("test/cat/tabby/d.png", 4),
        ("test/dog/e.PPM", 5),
    ] {
        picture(&folder.path().join(path), level);
    }
    let data = open(folder.path(), &OpenOptions::default()).unwrap();
    assert_eq!(data.class_ids(), ["cat", "dog"]);
    assert_eq!(data.split(Split::Train).labels, [0, 0, 1]);
    assert_eq!(data.split(Split::Test).labels, [0, 1]);
    assert_eq!(
        data.image(Split::Train, 1).unwrap().get_pixel(0, 0).0,
        [2, 7, 9]
    );
    let notes = check(folder.path()).notes;
    assert!(notes[0].kind.starts_with("folder inside a class folder"));
    assert_eq!(notes[0].items.len(), 3, "{notes:?}");
}

#[test]
fn tables_of_the_library_datasets_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for (level, path) in (1..).zip(["train/a.png", "train/b.png", "test/c.png", "test/d.png"]) {
        picture(&at(path), level);
    }
    // One at the root, whose paths tell the splits.
    let rows = "file_name,label,caption\ntrain/a.png,cat,x\ntrain/b.png,dog,y\n./test/c.png,cat,\"z, z\"\ntest/d.png,dog,w\n";
    std::fs::write(at("metadata.csv"), rows).unwrap();
    let root = open(folder.path(), &OpenOptions::default()).unwrap();
    assert_eq!(root.class_ids(), ["cat", "dog"]);
    assert_eq!(root.split(Split::Test).labels, [0, 1]);
    std::fs::remove_file(at("metadata.csv")).unwrap();
    // One in the folder of each split.
    std::fs::write(
        at("train/metadata.csv"),
        "file_name,label\na.png,cat\nb.png,dog\n",
    )
    .unwrap();
    let lines = "{\"file_name\": \"c.png\", \"label\": \"cat\"}\n{\"file_name\": \"d.png\", \"label\": \"dog\"}\n";
    std::fs::write(at("test/metadata.jsonl"), lines).unwrap();
    let split = open(folder.path(), &OpenOptions::default()).unwrap();
    assert_eq!(split.manifest_sha256(), root.manifest_sha256());
    std::fs::write(at("test/metadata.jsonl"), "{\"file\": \"c.png\"}\n").unwrap();
    let message = open(folder.path(), &OpenOptions::default()).unwrap_err();
    assert!(message.contains("file_name"), "{message}");
}

/// A shard with two images of each of two classes.
fn shard(base: u32) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: String, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    for index in 0..4u32 {
        let image = image::RgbImage::from_pixel(4, 3, image::Rgb([index as u8 * 9, 7, 9]));
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, image::ImageFormat::Png).unwrap();
        add(format!("s{index}.png"), png.get_ref());
        add(
            format!("s{index}.cls"),
            (base + index % 2).to_string().as_bytes(),
        );
    }
    tar.into_inner().unwrap()
}

fn shards(compressed: bool, base: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("classnames.txt"), "red\ngreen\n").unwrap();
    for split in ["train", "test"] {
        let dir = folder.path().join(split);
        std::fs::create_dir(&dir).unwrap();
        let plain = shard(base);
        if compressed {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(&plain).unwrap();
            std::fs::write(dir.join("0.tar.gz"), gz.finish().unwrap()).unwrap();
        } else {
            std::fs::write(dir.join("0.tar"), plain).unwrap();
        }
    }
    folder
}

#[test]
fn compressed_shards_hold_what_plain_ones_hold() {
    let (plain, packed) = (shards(false, 0), shards(true, 0));
    let options = OpenOptions::default();
    let plain = open(plain.path(), &options).unwrap();
    let found = open(packed.path(), &options).unwrap();
    assert_eq!(found.manifest_sha256(), plain.manifest_sha256());
    for index in 0..4 {
        let image = |data: &Dataset| data.image(Split::Test, index).unwrap();
        assert_eq!(image(&found), image(&plain));
    }
    let path = packed.path().join("train/0.tar.gz");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let message = open(packed.path(), &options).unwrap_err();
    assert!(
        message.contains("0.tar.gz") && message.contains("download it again"),
        "{message}"
    );
}

#[test]
fn labels_that_begin_at_one_are_read_where_the_entry_says_so() {
    let from_one = OpenOptions {
        label_base: 1,
        ..OpenOptions::default()
    };
    let zero = shards(false, 0);
    let zero = open(zero.path(), &OpenOptions::default()).unwrap();
    let one = shards(false, 1);
    assert!(open(one.path(), &OpenOptions::default()).is_err());
    let found = open(one.path(), &from_one).unwrap();
    assert_eq!(found.manifest_sha256(), zero.manifest_sha256());
    let message = open(shards(false, 0).path(), &from_one).unwrap_err();
    assert!(message.contains("label below the first"), "{message}");

    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png", "d.png"] {
        picture(&folder.path().join(name), 3);
    }
    let rows = "path,class,label,split\na.png,red,1,train\nb.png,green,2,train\nc.png,red,1,test\nd.png,green,2,test\n";
    std::fs::write(folder.path().join("manifest.csv"), rows).unwrap();
    let message = open(folder.path(), &OpenOptions::default()).unwrap_err();
    assert!(message.contains("label_base: 1"), "{message}");
    let table = open(folder.path(), &from_one).unwrap();
    assert_eq!(table.class_names(), ["red", "green"]);
    std::fs::remove_file(folder.path().join("manifest.csv")).unwrap();

    let items = r#"[["a.png", 1, "red"], ["b.png", 2, "green"]]"#;
    let lists = format!(r#"{{"train": {items}, "val": [], "test": {items}}}"#);
    std::fs::write(folder.path().join("split_zhou_Ours.json"), lists).unwrap();
    let message = open(folder.path(), &OpenOptions::default()).unwrap_err();
    assert!(message.contains("label_base: 1"), "{message}");
    let split = open(folder.path(), &from_one).unwrap();
    assert_eq!(split.class_names(), ["red", "green"]);
    assert_eq!(split.split(Split::Test).labels, [0, 1]);
}

#[test]
fn every_format_gives_pils_pixels() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images");
    let expected = read_image(&folder.join("pixels.png")).unwrap();
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(read_image(&path).unwrap(), expected, "{}", path.display());
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn parquet_files_of_the_hub_are_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parquet");
    let data = open(&folder, &OpenOptions::default()).unwrap();
    assert_eq!(data.class_names(), ["red", "dark green"]);
    assert_eq!(data.split(Split::Train).labels, [0, 1, 1, 0]);
    assert_eq!(data.split(Split::Val).labels, [1]);
    assert_eq!(data.split(Split::Test).labels, [1, 0]);
    for (split, levels) in [
        (Split::Train, &[10, 11, 12, 20][..]),
        (Split::Val, &[30]),
        (Split::Test, &[40, 41]),
    ] {
        for (index, level) in levels.iter().enumerate() {
            let image = data.image(split, index).unwrap();
            assert_eq!(image.dimensions(), (4, 3));
            assert_eq!(image.get_pixel(3, 2).0, [*level; 3]);
        }
    }
    assert_eq!(check(&folder).format, "parquet");
}

#[test]
fn a_damaged_parquet_file_is_named() {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parquet/data");
    let folder = tempfile::tempdir().unwrap();
    let name = "test-00000-of-00001.parquet";
    let bytes = std::fs::read(source.join(name)).unwrap();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(folder.path().join(name), &bytes[..length]).unwrap();
        let message = open(folder.path(), &OpenOptions::default()).unwrap_err();
        assert!(
            message.contains(name) && message.contains("not a readable Parquet file"),
            "{message}"
        );
    }
}
