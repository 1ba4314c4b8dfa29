//! Writing and reading the sheet format.

use std::path::Path;
use std::thread;

use crate::support::{picture, spec, split, tiles, write_toy};
use harness_data::sprite_sheet::{SplitTiles, Tiles, write};
use harness_data::{DataError, Dataset, OpenOptions, Split, Summary};
use image::{GrayImage, Luma};
use proptest::prelude::*;

fn digest_after(
    change: impl FnOnce(&mut harness_data::sprite_sheet::DatasetSpec, &mut Tiles),
) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut spec = spec();
    let mut tiles = tiles(&spec);
    change(&mut spec, &mut tiles);
    write(dir.path(), &spec, &tiles).expect("a sound data set");
    let data = Dataset::open(dir.path()).expect("what was written can be read");
    data.manifest_sha256().to_owned()
}

fn assert_same(data: &Dataset, split: Split, expected: &SplitTiles) {
    assert_eq!(data.split(split).labels, expected.labels);
    for (index, image) in expected.images.iter().enumerate() {
        let found = data.image(split, index).expect("a readable tile");
        assert!(found == *image, "{split}[{index}] differs");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec();
    let tiles = tiles(&spec);
    write(dir.path(), &spec, &tiles).unwrap();
    let data = Dataset::open(dir.path()).unwrap();
    assert_eq!(data.name(), "toy");
    assert_eq!(data.title(), "A toy");
    assert_eq!(data.license(), "CC0-1.0");
    assert_eq!(data.source(), "drawn by the tests");
    assert_eq!(data.shift_of(), None);
    assert_eq!(data.class_names(), ["missile", "missile"]);
    assert_eq!(data.class_ids(), ["n1", "n2"]);
    assert_eq!(data.templates(), ["a picture of a {}."]);
    assert_same(&data, Split::Train, &tiles.train);
    assert_same(&data, Split::Val, &tiles.val);
    assert_same(&data, Split::Test, &tiles.test);
}

#[test]
fn an_index_beyond_the_split_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    let data = Dataset::open(dir.path()).unwrap();
    let error = data.image(Split::Val, 2).unwrap_err();
    assert!(matches!(error, DataError::OutOfRange { len: 2, .. }));
}

#[test]
fn the_summary_needs_no_sheet() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    for split in Split::ALL {
        std::fs::remove_file(dir.path().join(format!("{split}.png"))).unwrap();
    }
    let summary = Summary::read(dir.path(), &OpenOptions::default()).unwrap();
    assert_eq!(Split::ALL.map(|split| summary.len(split)), [7, 2, 4]);
    assert_eq!(summary.classes.len(), 2);
    let error = Dataset::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("unreadable sprite sheet (3)"), "{error}");
    assert!(error.contains("val.png"), "{error}");
}

#[test]
fn colourless_sheets_are_stored_in_grey() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec();
    let mut tiles = tiles(&spec);
    for image in &mut tiles.test.images {
        for pixel in image.pixels_mut() {
            pixel.0 = [pixel.0[0]; 3];
        }
    }
    write(dir.path(), &spec, &tiles).unwrap();
    let stored = |name: &str| image::open(dir.path().join(name)).unwrap().color();
    assert_eq!(stored("test.png"), image::ColorType::L8);
    assert_eq!(stored("train.png"), image::ColorType::Rgb8);
    let data = Dataset::open(dir.path()).unwrap();
    assert_same(&data, Split::Test, &tiles.test);
}

#[test]
fn a_shifted_data_set_may_have_test_images_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec();
    let test = split(&spec, &[0, 1, 1], 3);
    let tiles = Tiles {
        test,
        ..Tiles::default()
    };
    let error = write(dir.path(), &spec, &tiles).unwrap_err().to_string();
    assert!(error.contains("class without train images (2)"), "{error}");
    spec.shift_of = Some("base".to_owned());
    write(dir.path(), &spec, &tiles).unwrap();
    let data = Dataset::open(dir.path()).unwrap();
    assert_eq!(data.shift_of(), Some("base"));
    assert!(data.split(Split::Train).is_empty());
    assert_same(&data, Split::Test, &tiles.test);
}

#[test]
fn the_digest_follows_everything_that_can_change_a_result() {
    let plain = digest_after(|_, _| {});
    assert_eq!(plain, digest_after(|_, _| {}), "the same content");
    let same = digest_after(|spec, _| spec.title = "Renamed".to_owned());
    assert_eq!(plain, same, "a title changes no result");
    let mut others = vec![
        digest_after(|spec, _| spec.classes[0].name = "rocket".to_owned()),
        digest_after(|spec, _| spec.classes[0].id = "n7".to_owned()),
        digest_after(|spec, _| spec.classes.swap(0, 1)),
        digest_after(|spec, _| spec.templates[0] = "a {}".to_owned()),
        digest_after(|spec, _| spec.templates.push("a {}".to_owned())),
        digest_after(|spec, _| spec.columns = 4),
    ];
    for split in Split::ALL {
        others.push(digest_after(|_, tiles| {
            let part = part(tiles, split);
            part.labels[0] = 1 - part.labels[0];
        }));
        others.push(digest_after(|_, tiles| {
            part(tiles, split).images[0].get_pixel_mut(2, 3).0[1] ^= 1;
        }));
        others.push(digest_after(|_, tiles| {
            let part = part(tiles, split);
            part.labels.push(0);
            part.images.push(picture(5, 4, 99));
        }));
    }
    others.push(plain);
    let count = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), count, "every change gives another digest");
}

fn part(tiles: &mut Tiles, split: Split) -> &mut SplitTiles {
    match split {
        Split::Train => &mut tiles.train,
        Split::Val => &mut tiles.val,
        Split::Test => &mut tiles.test,
    }
}

#[test]
fn the_way_a_sheet_is_cut_is_part_of_the_digest() {
    // The same bytes and labels, read as two tiles of 2x1 or, with a row between, of 1x2.
    let manifest = |tile: &str, columns: u32| {
        format!(
            r#"{{"format":"sheet/1","name":"n","title":"","license":"","source":"","shift_of":"b",
            "tile":{tile},"classes":[{{"name":"a","id":"a"}}],"templates":["{{}}"],
            "splits":{{"test":{{"sheet":"s.png","columns":{columns},"labels":[0,0]}}}}}}"#
        )
    };
    let open = |dir: &Path, text: String| {
        std::fs::write(dir.join("dataset.json"), text).expect("a writable folder");
        Dataset::open(dir).expect("a sound data set")
    };
    let dir = tempfile::tempdir().unwrap();
    let sheet = GrayImage::from_fn(2, 2, |x, y| Luma([(2 * y + x) as u8]));
    sheet.save(dir.path().join("s.png")).unwrap();
    let rows = open(dir.path(), manifest("[2,1]", 1));
    let columns = open(dir.path(), manifest("[1,2]", 2));
    assert_ne!(rows.manifest_sha256(), columns.manifest_sha256());
    let first = |data: &Dataset| data.image(Split::Test, 0).unwrap().into_raw();
    assert_eq!(first(&rows), [0, 0, 0, 1, 1, 1]);
    assert_eq!(first(&columns), [0, 0, 0, 2, 2, 2]);
}

#[test]
fn threads_share_one_data_set() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec();
    let tiles = tiles(&spec);
    write(dir.path(), &spec, &tiles).unwrap();
    let data = Dataset::open(dir.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_same(&data, Split::Train, &tiles.train));
        }
    });
}

#[test]
fn a_sheet_that_changes_after_opening_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    write_toy(dir.path());
    let data = Dataset::open(dir.path()).unwrap();
    std::fs::copy(dir.path().join("val.png"), dir.path().join("test.png")).unwrap();
    let error = data.image(Split::Test, 0).unwrap_err();
    assert!(matches!(error, DataError::Changed { .. }), "{error}");
    assert!(data.image(Split::Val, 0).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sheet_survives_the_round_trip(
        tile in (1_u32..9, 1_u32..9),
        columns in 1_u32..7,
        grey in any::<bool>(),
        train in prop::collection::vec(0_u32..2, 0..30),
        val in prop::collection::vec(0_u32..2, 0..9),
        test in prop::collection::vec(0_u32..2, 1..30),
    ) {
        let mut spec = spec();
        spec.tile = tile;
        spec.columns = columns;
        // Both classes occur in the first two training images.
        let train = [vec![0, 1], train].concat();
        let mut tiles = Tiles {
            train: split(&spec, &train, 0),
            val: split(&spec, &val, 100),
            test: split(&spec, &test, 200),
        };
        if grey {
            for image in &mut tiles.train.images {
                image.pixels_mut().for_each(|pixel| pixel.0 = [pixel.0[1]; 3]);
            }
        }
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        write(one.path(), &spec, &tiles)?;
        write(two.path(), &spec, &tiles)?;
        for entry in std::fs::read_dir(one.path())? {
            let name = entry?.file_name();
            let bytes = |dir: &Path| std::fs::read(dir.join(&name));
            prop_assert_eq!(bytes(one.path())?, bytes(two.path())?);
        }
        let data = Dataset::open(one.path())?;
        assert_same(&data, Split::Train, &tiles.train);
        assert_same(&data, Split::Val, &tiles.val);
        assert_same(&data, Split::Test, &tiles.test);
    }
}
