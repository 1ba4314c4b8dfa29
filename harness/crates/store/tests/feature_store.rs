//! The store gives back what was put in, or nothing.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::thread;

use harness_store::{FeatureError, FeatureKey, FeatureRequest, FeatureStore, Features, Precision};

const CHILD_STORE: &str = "HARNESS_TEST_STORE";

fn request() -> FeatureRequest {
    FeatureRequest {
        key: FeatureKey {
            backbone_sha256: "b".repeat(64),
            transform: "bicubic 32, centre crop".to_owned(),
            manifest_sha256: "d".repeat(64),
            split: "test".to_owned(),
            images: "all".to_owned(),
            view: "plain".to_owned(),
            precision: Precision::F32,
        },
        rows: 600,
        width: 3,
        title: "test images of d on b".to_owned(),
    }
}

fn features(request: &FeatureRequest) -> Features {
    let count = request.rows * request.width;
    let data = (0..count).map(|index| (index as f32).sin() / 3.0);
    Features {
        rows: request.rows,
        width: request.width,
        data: data.collect(),
    }
}

/// Puts the missing shards of a matrix; how many there were.
fn fill(store: &FeatureStore, request: &FeatureRequest, features: &Features) -> usize {
    let missing = store.read(request).expect("a readable store").missing;
    for range in &missing {
        let numbers = &features.data[range.start * request.width..range.end * request.width];
        store.put(request, range, numbers).expect("a shard");
    }
    missing.len()
}

fn open() -> (tempfile::TempDir, FeatureStore) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = FeatureStore::open(dir.path().join("new/store")).expect("a store");
    (dir, store)
}

#[test]
fn features_come_back_bit_for_bit() {
    let (_dir, store) = open();
    let request = request();
    assert_eq!(
        store.read(&request).unwrap().missing,
        [0..256, 256..512, 512..600]
    );
    let mut features = features(&request);
    features.data[..4].copy_from_slice(&[f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY]);
    assert_eq!(fill(&store, &request, &features), 3);
    let again = FeatureStore::open(store.root()).unwrap();
    let found = again.read(&request).unwrap();
    assert!(found.missing.is_empty());
    let bits = |data: &[f32]| data.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&found.features.data), bits(&features.data));
    assert!(again.take_warnings().is_empty());
    let folder = again.path(&request.key, 0);
    let files = std::fs::read_dir(folder.parent().unwrap()).unwrap().count();
    assert_eq!(files, 3, "nothing but the shards is left behind");
}

#[test]
fn half_precision_gives_a_writer_what_a_reader_gets() {
    let (_dir, store) = open();
    let mut half = request();
    half.key.precision = Precision::F16;
    let features = features(&half);
    let mut told = Vec::new();
    for range in half.shards() {
        let numbers = &features.data[range.start * half.width..range.end * half.width];
        told.extend(store.put(&half, &range, numbers).unwrap());
    }
    let read = store.read(&half).unwrap().features.data;
    assert_eq!(told, read);
    let far = |(a, b): (&f32, &f32)| (a - b).abs() / a.abs().max(1e-3);
    let worst = features.data.iter().zip(&read).map(far).fold(0.0, f32::max);
    assert!(worst > 0.0 && worst < 5e-4, "{worst}");
    let bytes = |request: &FeatureRequest| {
        std::fs::metadata(store.path(&request.key, 0))
            .unwrap()
            .len()
    };
    let full = request();
    fill(&store, &full, &features);
    assert_eq!(bytes(&full) - bytes(&half), 256 * 3 * 2);
}

#[test]
fn a_matrix_without_rows_needs_no_file() {
    let (_dir, store) = open();
    let empty = FeatureRequest {
        rows: 0,
        ..request()
    };
    let stored = store.read(&empty).unwrap();
    assert!(stored.missing.is_empty() && stored.features.data.is_empty());
}

#[test]
fn a_killed_run_loses_the_shard_in_hand_and_no_other() {
    let (_dir, store) = open();
    let request = request();
    let features = features(&request);
    store
        .put(&request, &(0..256), &features.data[..768])
        .unwrap();
    let stored = store.read(&request).unwrap();
    assert_eq!(stored.missing, [256..512, 512..600]);
    assert_eq!(stored.features.data[..768], features.data[..768]);
    assert_eq!(fill(&store, &request, &features), 2);
    assert_eq!(store.read(&request).unwrap().features, features);
}

#[test]
fn rows_that_are_no_shard_are_refused() {
    let (_dir, store) = open();
    let request = request();
    for (range, count) in [
        (0..256, 767),
        (0..255, 765),
        (1..257, 768),
        (512..601, 267),
        (600..600, 0),
    ] {
        let error = store.put(&request, &range, &vec![0.5; count]).unwrap_err();
        assert!(matches!(error, FeatureError::Shape { .. }), "{error}");
    }
    assert_eq!(store.read(&request).unwrap().missing.len(), 3);
}

#[test]
fn every_field_of_the_key_makes_another_entry() {
    let change: [fn(&mut FeatureKey); 8] = [
        |key| key.backbone_sha256 = "e".repeat(64),
        |key| key.transform = "bilinear 32".to_owned(),
        |key| key.manifest_sha256 = "e".repeat(64),
        |key| key.split = "train".to_owned(),
        |key| key.images = "f".repeat(64),
        |key| key.view = "flip".to_owned(),
        |key| key.precision = Precision::F16,
        // Moving text from one field to the next is a difference as well.
        |key| {
            key.images = String::new();
            key.view = "allplain".to_owned();
        },
    ];
    let (_dir, store) = open();
    fill(&store, &request(), &features(&request()));
    let mut digests = HashSet::from([request().key.digest()]);
    for change in change {
        let mut other = request();
        change(&mut other.key);
        assert_eq!(store.read(&other).unwrap().missing.len(), 3);
        digests.insert(other.key.digest());
    }
    assert_eq!(digests.len(), 9);
    assert!(digests.iter().all(|digest| digest.len() == 64));
}

/// A matrix of one small shard.
fn small() -> FeatureRequest {
    FeatureRequest {
        rows: 2,
        ..request()
    }
}

/// Looks up a shard whose file has been replaced; it must be absent, with one warning.
fn assert_ignored(bytes: &[u8], what: &str) {
    let (_dir, store) = open();
    let (small, good) = (small(), features(&small()));
    fill(&store, &small, &good);
    std::fs::write(store.path(&small.key, 0), bytes).expect("a writable folder");
    let missing = store.read(&small).expect("no error").missing;
    assert!(
        matches!(missing.as_slice(), [only] if *only == (0..2)),
        "{what}"
    );
    let warnings = store.take_warnings();
    assert_eq!(warnings.len(), 1, "{what}");
    assert!(warnings[0].contains(&small.key.digest()), "{}", warnings[0]);
    assert!(store.take_warnings().is_empty(), "warnings are given once");
    assert_eq!(
        store.entries().expect("a listing")[0].damaged.len(),
        1,
        "{what}"
    );
    assert_eq!(fill(&store, &small, &good), 1, "the bad shard is replaced");
    assert_eq!(store.read(&small).expect("no error").features, good);
}

fn shard(request: &FeatureRequest) -> Vec<u8> {
    let (_dir, store) = open();
    fill(&store, request, &features(request));
    std::fs::read(store.path(&request.key, 0)).expect("its file")
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let (small, good) = (small(), features(&small()));
    let whole = shard(&small);
    let (_dir, store) = open();
    fill(&store, &small, &good);
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(store.path(&small.key, 0), bytes).unwrap();
        // A bit of the title or of padding may be harmless; wrong features never are.
        let stored = store.read(&small).unwrap();
        if stored.missing.is_empty() {
            assert_eq!(stored.features, good, "bit {bit}");
        } else {
            assert_eq!(store.take_warnings().len(), 1, "bit {bit}");
        }
    }
    let payload = whole.len() - 1;
    let mut bytes = whole;
    bytes[payload] ^= 1;
    assert_ignored(&bytes, "a bit of the payload");
}

#[test]
fn truncated_and_foreign_files_count_as_absent() {
    let whole = shard(&small());
    for cut in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        assert_ignored(&whole[..cut], "cut");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert_ignored(&longer, "a byte too many");
    assert_ignored(b"PK\x03\x04 something else altogether", "foreign");
    assert_ignored(&[0xff; 64], "a header of absurd length");
    let mut elsewhere = small();
    elsewhere.key.split = "val".to_owned();
    assert_ignored(&shard(&elsewhere), "the shard of another key");
    let bare = safetensors::serialize::<&str, safetensors::tensor::TensorView<'_>, _>([], None);
    assert_ignored(&bare.unwrap(), "safetensors without header");
}

#[test]
fn a_shard_of_another_matrix_is_no_part_of_this_one() {
    let (_dir, store) = open();
    let full = request();
    fill(&store, &full, &features(&full));
    std::fs::rename(store.path(&full.key, 256), store.path(&full.key, 0)).unwrap();
    let cut = FeatureRequest {
        rows: 500,
        ..full.clone()
    };
    let wider = FeatureRequest {
        width: 4,
        ..full.clone()
    };
    assert_eq!(store.read(&full).unwrap().missing, [0..256, 256..512]);
    assert_eq!(store.read(&cut).unwrap().missing, [0..256, 256..500]);
    assert_eq!(store.read(&wider).unwrap().missing.len(), 3);
    assert_eq!(store.take_warnings().len(), 4);
}

#[test]
fn a_listing_says_what_is_stored() {
    let (_dir, store) = open();
    assert!(store.entries().unwrap().is_empty());
    fill(&store, &request(), &features(&request()));
    let entries = store.entries().unwrap();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!((entry.rows, entry.shards), (600, 3));
    assert_eq!(entry.title, "test images of d on b");
    assert_eq!(
        (entry.view.as_str(), entry.precision.as_str()),
        ("plain", "f32")
    );
    assert!(entry.bytes > 600 * 3 * 4 && entry.written.is_some());
    assert!(entry.damaged.is_empty());
}

/// Writes every shard, whether it is there or not.
fn write(store: &FeatureStore) {
    let (request, features) = (request(), features(&request()));
    for range in request.shards() {
        let numbers = &features.data[range.start * request.width..range.end * request.width];
        store.put(&request, &range, numbers).expect("a shard");
    }
}

#[test]
fn threads_may_write_and_read_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..8 {
                    write(&store);
                    let found = store.read(&request()).unwrap();
                    assert_eq!(found.features, features(&request()));
                }
            });
        }
    });
    assert!(store.take_warnings().is_empty());
}

#[test]
fn processes_may_write_and_read_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    let writer = || -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer_process", "--ignored"])
            .env(CHILD_STORE, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut children = [writer(), writer()];
    let store = FeatureStore::open(dir.path()).unwrap();
    while children
        .iter_mut()
        .any(|child| child.try_wait().unwrap().is_none())
    {
        let found = store.read(&request()).unwrap();
        if found.missing.is_empty() {
            assert_eq!(found.features, features(&request()));
        }
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(
        store.read(&request()).unwrap().features,
        features(&request())
    );
    assert!(store.take_warnings().is_empty());
}

#[test]
#[ignore = "started by processes_may_write_and_read_one_entry"]
fn writer_process() {
    let Some(root) = std::env::var_os(CHILD_STORE) else {
        return;
    };
    let store = FeatureStore::open(root).unwrap();
    for _ in 0..20 {
        write(&store);
    }
}
