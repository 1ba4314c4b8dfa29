//! The folders that CoOp and its descendants leave on disk, with the real split files.

use std::path::{Path, PathBuf};

use crate::support::{options, png, put};
use harness_data::{
    Annotations, DataError, Dataset, DatasetLocation, KnownDataset, Sampler, Split, SplitFile,
    Templates,
};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/golden/datasets")
        .join(name)
}

/// A real split file in `folder`, with an image at each of its paths below `images`.
fn lay_out(folder: &Path, split: &str, images: &str) -> SplitFile {
    let file = SplitFile::read(&golden(split)).unwrap();
    put(folder, split, std::fs::read(golden(split)).unwrap());
    let mut number = 0;
    for split in Split::ALL {
        for item in file.split(split) {
            put(&folder.join(images), &item.path, png(number));
            number += 1;
        }
    }
    file
}

fn located(name: &str, root: &Path) -> PathBuf {
    match KnownDataset::find(name).unwrap().locate(root) {
        DatasetLocation::Found(path) => path,
        DatasetLocation::Missing(missing) => panic!("{missing:?}"),
    }
}

#[test]
fn a_real_data_set_is_found_by_other_names_and_read_as_published() {
    let root = tempfile::tempdir().unwrap();
    lay_out(
        &root.path().join("OxfordPets"),
        "split_zhou_OxfordPets.json",
        "images",
    );
    let path = located("pets", root.path());
    let data = Dataset::open(&path).unwrap();
    let sizes = KnownDataset::find("oxford_pets").unwrap().sizes;
    assert_eq!(data.name(), "oxford_pets");
    assert_eq!(data.classes().len(), sizes.classes);
    assert_eq!(
        Split::ALL.map(|split| data.len(split)),
        [sizes.train, sizes.val, sizes.test]
    );
    assert_eq!(data.templates(), ["a photo of a {}, a type of pet."]);
    assert_eq!(data.class_names()[1], "american bulldog");
    assert_eq!(data.class_ids()[1], "american_bulldog");
    let first = data.image(Split::Train, 0).unwrap();
    assert_eq!(first.get_pixel(0, 0).0, [0, 0, 0]);
    assert_eq!(
        data.image(Split::Test, 0).unwrap().get_pixel(0, 0).0,
        [0, 0x0e, 0x60]
    );
    assert_eq!(data.missing(), 0);
}

#[test]
fn a_second_real_data_set_is_read_with_every_image_in_its_place() {
    let root = tempfile::tempdir().unwrap();
    lay_out(
        &root.path().join("dtd"),
        "split_zhou_DescribableTextures.json",
        "images",
    );
    let data = Dataset::open(&located("dtd", root.path())).unwrap();
    let sizes = KnownDataset::find("dtd").unwrap().sizes;
    assert_eq!(
        Split::ALL.map(|split| data.len(split)),
        [sizes.train, sizes.val, sizes.test]
    );
    assert_eq!((data.missing(), data.classes().len()), (0, 47));
    assert_eq!(data.templates(), ["{} texture."]);
    // Neighbours are different pictures.
    let first = data.image(Split::Val, 0).unwrap();
    assert_ne!(first, data.image(Split::Val, 1).unwrap());
}

#[test]
fn digests_that_are_remembered_change_nothing_and_follow_a_changed_file() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let split =
        serde_json::json!({"train": [["a.png", 0, "a"]], "val": [], "test": [["b.png", 0, "a"]]});
    put(&folder, "split_zhou_Mine.json", split.to_string());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for (number, name) in ["images/a.png", "images/b.png"].iter().enumerate() {
        put(&folder, name, png(number as u32));
        let file = std::fs::File::options().write(true).open(folder.join(name));
        file.unwrap().set_modified(old).unwrap();
    }
    // A file that has just changed is not remembered, whatever its modification time.
    std::thread::sleep(std::time::Duration::from_millis(3200));
    let digests = root.path().join("digests");
    let remembering = options(|it| it.digests = Some(digests.clone()));
    let hash = || {
        let data = Dataset::open_with(&folder, &remembering).unwrap();
        data.manifest_sha256().to_owned()
    };
    let before = hash();
    assert_eq!(before, Dataset::open(&folder).unwrap().manifest_sha256());
    let file = std::fs::read_dir(&digests)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let remembered = std::fs::read_to_string(&file).unwrap();
    assert!(remembered.contains("\"a.png\"") && remembered.contains("\"b.png\""));
    assert_eq!(before, hash());
    put(&folder, "images/b.png", png(999_999));
    assert_ne!(before, hash());
    // What cannot be read is forgotten, not believed.
    std::fs::write(&file, "no\tdigest\nat all").unwrap();
    put(&folder, "images/b.png", png(1));
    assert_eq!(before, hash());
}

#[test]
fn a_few_shot_split_needs_no_image() {
    let root = tempfile::tempdir().unwrap();
    let name = "split_zhou_DescribableTextures.json";
    put(
        &root.path().join("DTD"),
        name,
        std::fs::read(golden(name)).unwrap(),
    );
    put(
        &root.path().join("DTD"),
        "split_fewshot/shot_16-seed_1.pkl",
        "",
    );
    let path = located("dtd", root.path());
    let annotations = Annotations::read(&path, &Default::default()).unwrap();
    let split = annotations.few_shot(16, 1, Sampler::Coop);
    assert_eq!(split.train.len(), 47 * 16);
    assert_eq!(
        annotations.path(Split::Train, split.train[0]),
        Some("banded/banded_0117.jpg")
    );
    assert!(annotations.image_folder().ends_with("DTD/images"));
    assert!(
        annotations
            .unread_pickles()
            .unwrap()
            .ends_with("split_fewshot")
    );
    let error = Dataset::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("5640 problem(s): missing image (5640): "),
        "{error}"
    );
    assert!(error.ends_with("and 5630 more"), "{error}");
}

#[test]
fn missing_images_are_left_out_only_when_that_is_said() {
    let root = tempfile::tempdir().unwrap();
    let items = |range: std::ops::Range<u32>| -> Vec<(String, u32, String)> {
        let item = |n: u32| (format!("{n}.png"), n % 2, format!("class_{}", n % 2));
        range.map(item).collect()
    };
    let split = serde_json::json!({"train": items(0..6), "val": [], "test": items(6..10)});
    put(root.path(), "split_zhou_Mine.json", split.to_string());
    for number in (0..10).filter(|number| ![2, 9].contains(number)) {
        put(root.path(), &format!("images/{number}.png"), png(number));
    }
    put(root.path(), "images/7.png", "");
    let error = Dataset::open(root.path()).unwrap_err().to_string();
    assert!(error.contains("missing image (2): 2.png, 9.png"), "{error}");
    assert!(error.contains("unreadable image (1)") && error.contains("the file is empty"));
    let lenient = options(|it| it.allow_missing = true);
    let data = Dataset::open_with(root.path(), &lenient).unwrap();
    assert_eq!(data.missing(), 3);
    assert_eq!(data.split(Split::Train).labels, [0, 1, 1, 0, 1]);
    assert_eq!(data.split(Split::Test).labels, [0, 0]);
    assert_eq!(
        data.image(Split::Test, 1).unwrap().get_pixel(0, 0).0,
        [0, 0, 8]
    );
    // What is left must still be a data set.
    for number in [1, 3, 5] {
        std::fs::remove_file(root.path().join(format!("images/{number}.png"))).unwrap();
    }
    let error = Dataset::open_with(root.path(), &lenient).unwrap_err();
    assert!(
        error.to_string().contains("class without train images"),
        "{error}"
    );
}

#[test]
fn a_suite_chooses_the_templates() {
    let root = tempfile::tempdir().unwrap();
    let split = serde_json::json!({"train": [["a.png", 0, "cat"]], "val": [], "test": [["b.png", 0, "cat"]]});
    put(root.path(), "split_zhou_Food101.json", split.to_string());
    put(root.path(), "images/a.png", png(1));
    put(root.path(), "images/b.png", png(2));
    let read = |templates: Option<Templates>| {
        let own = options(|it| it.templates = templates);
        let data = Dataset::open_with(root.path(), &own).unwrap();
        (data.templates().to_vec(), data.manifest_sha256().to_owned())
    };
    let (own, plain) = read(None);
    assert_eq!(own, ["a photo of {}, a type of food."]);
    let (eighty, other) = read(Some(Templates::Ensemble("imagenet-80".to_owned())));
    assert_eq!(eighty.len(), 80);
    assert_ne!(plain, other, "templates are part of the manifest");
    let wrong = options(|it| it.templates = Some(Templates::Own(vec!["a photo.".to_owned()])));
    assert!(matches!(
        Dataset::open_with(root.path(), &wrong),
        Err(DataError::Invalid { .. })
    ));
}

#[test]
fn classes_are_dropped_and_renamed_as_the_protocol_says() {
    let root = tempfile::tempdir().unwrap();
    let items = |split: u32| {
        let names = ["BACKGROUND_Google", "Faces", "Faces_easy", "accordion"];
        let item = |(label, name): (usize, &&str)| {
            serde_json::json!([format!("{name}/{split}.png"), label, name])
        };
        names.iter().enumerate().map(item).collect::<Vec<_>>()
    };
    let split = serde_json::json!({"train": items(0), "val": [], "test": items(1)});
    put(root.path(), "split_zhou_Caltech101.json", split.to_string());
    for (number, name) in ["Faces/0", "accordion/0", "Faces/1", "accordion/1"]
        .iter()
        .enumerate()
    {
        let path = format!("101_ObjectCategories/{name}.png");
        put(root.path(), &path, png(number as u32));
    }
    let data = Dataset::open(root.path()).unwrap();
    assert_eq!(data.class_names(), ["face", "accordion"]);
    assert_eq!(data.split(Split::Test).labels, [0, 1]);
}

#[test]
fn the_text_files_of_aircraft_are_read_in_their_order() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("fgvc-aircraft-2013b/data");
    put(&data, "variants.txt", "707-320\r\nDC-9-30\nFalcon 900\n");
    put(
        &data,
        "images_variant_train.txt",
        "0034309 Falcon 900\n0056978 707-320\n1 DC-9-30\n",
    );
    put(&data, "images_variant_val.txt", "");
    put(&data, "images_variant_test.txt", "0000002 DC-9-30\n");
    for (number, name) in ["0034309", "0056978", "1", "0000002"].iter().enumerate() {
        put(&data, &format!("images/{name}.jpg"), png(number as u32));
    }
    let path = located("fgvc_aircraft", root.path());
    let read = Dataset::open(&path).unwrap();
    assert_eq!(read.class_names(), ["707-320", "DC-9-30", "Falcon 900"]);
    assert_eq!(read.split(Split::Train).labels, [2, 0, 1]);
    put(
        &data,
        "images_variant_test.txt",
        "../2 DC-9-30\n7 Concorde\n8\n",
    );
    let error = Dataset::open(&path).unwrap_err().to_string();
    for part in [
        "outside the image folder",
        "variant that is not in variants.txt",
        "`8`",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let root = tempfile::tempdir().unwrap();
    for (name, parts) in [
        (
            "dtd",
            ["dtd/split_zhou_DescribableTextures.json", "dtd/images"],
        ),
        (
            "imagenet",
            ["imagenet/classnames.txt", "imagenet/images/train and val"],
        ),
        (
            "imagenetv2",
            ["imagenetv2/classnames.txt", "(folders 0 to 999)"],
        ),
    ] {
        let DatasetLocation::Missing(missing) =
            KnownDataset::find(name).unwrap().locate(root.path())
        else {
            panic!("{name} was found in an empty folder");
        };
        let text = missing.join("\n");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}
