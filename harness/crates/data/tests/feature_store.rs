//! The store gives back what was put in, or nothing.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::thread;

use harness_data::{FeatureKey, FeatureStore, Features, Split, StoreError};

const CHILD_STORE: &str = "HARNESS_DATA_TEST_STORE";

fn key() -> FeatureKey {
    FeatureKey {
        backbone_sha256: "b".repeat(64),
        transform: "bicubic 32, centre crop".to_owned(),
        manifest_sha256: "d".repeat(64),
        split: Split::Test,
        view: "plain".to_owned(),
    }
}

fn features() -> Features {
    let data = (0..600).map(|index| (index as f32).sin() / 3.0).collect();
    Features {
        rows: 50,
        width: 12,
        data,
    }
}

#[test]
fn features_come_back_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path().join("new/store")).unwrap();
    assert_eq!(store.get(&key()).unwrap(), None);
    let mut features = features();
    features.data[..4].copy_from_slice(&[f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY]);
    store.put(&key(), &features).unwrap();
    let again = FeatureStore::open(store.root()).unwrap();
    let found = again.get(&key()).unwrap().unwrap();
    assert_eq!((found.rows, found.width), (50, 12));
    let bits = |data: &[f32]| data.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&found.data), bits(&features.data));
    assert!(again.take_warnings().is_empty());
    let files = std::fs::read_dir(store.root()).unwrap().count();
    assert_eq!(files, 1, "nothing but the entry is left behind");
}

#[test]
fn a_split_without_images_can_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    let empty = Features {
        rows: 0,
        width: 12,
        data: Vec::new(),
    };
    store.put(&key(), &empty).unwrap();
    assert_eq!(store.get(&key()).unwrap(), Some(empty));
}

#[test]
fn features_of_another_shape_than_stated_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    for (rows, width) in [(50, 13), (0, 0), (usize::MAX, 2)] {
        let wrong = Features {
            rows,
            width,
            ..features()
        };
        let error = store.put(&key(), &wrong).unwrap_err();
        assert!(matches!(error, StoreError::Shape { found: 600, .. }));
    }
    assert_eq!(store.get(&key()).unwrap(), None);
}

#[test]
fn every_field_of_the_key_makes_another_entry() {
    let other = "e".repeat(64);
    let keys = [
        key(),
        FeatureKey {
            backbone_sha256: other.clone(),
            ..key()
        },
        FeatureKey {
            transform: "bilinear 32".to_owned(),
            ..key()
        },
        FeatureKey {
            manifest_sha256: other,
            ..key()
        },
        FeatureKey {
            split: Split::Train,
            ..key()
        },
        FeatureKey {
            view: "flip".to_owned(),
            ..key()
        },
        // Moving text from one field to the next is a difference as well.
        FeatureKey {
            transform: String::new(),
            view: "bicubic 32, centre cropplain".to_owned(),
            ..key()
        },
    ];
    let digests: HashSet<String> = keys.iter().map(FeatureKey::digest).collect();
    assert_eq!(digests.len(), keys.len());
    assert_eq!(key().digest().len(), 64);
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    store.put(&keys[0], &features()).unwrap();
    for key in &keys[1..] {
        assert_eq!(store.get(key).unwrap(), None);
    }
}

/// Looks up an entry whose file has been replaced; it must be absent, with one warning.
fn assert_ignored(bytes: &[u8], what: &str) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = FeatureStore::open(dir.path()).expect("a store");
    std::fs::write(store.path(&key()), bytes).expect("a writable folder");
    assert_eq!(store.get(&key()).expect("no error"), None, "{what}");
    let warnings = store.take_warnings();
    assert_eq!(warnings.len(), 1, "{what}");
    assert!(warnings[0].contains(&key().digest()), "{}", warnings[0]);
    assert!(store.take_warnings().is_empty(), "warnings are given once");
    store
        .put(&key(), &features())
        .expect("the bad entry is replaced");
    assert_eq!(store.get(&key()).expect("no error"), Some(features()));
}

fn entry(key: &FeatureKey, features: &Features) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = FeatureStore::open(dir.path()).expect("a store");
    store.put(key, features).expect("an entry");
    std::fs::read(store.path(key)).expect("its file")
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let small = Features {
        rows: 2,
        width: 3,
        data: vec![0.5; 6],
    };
    let whole = entry(&key(), &small);
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(store.path(&key()), bytes).unwrap();
        // A bit of padding in the header may be harmless; wrong features never are.
        if let Some(found) = store.get(&key()).unwrap() {
            assert_eq!(found, small, "bit {bit}");
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
    let whole = entry(&key(), &features());
    for cut in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        assert_ignored(&whole[..cut], "cut");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert_ignored(&longer, "a byte too many");
    assert_ignored(b"PK\x03\x04 something else altogether", "foreign");
    assert_ignored(&[0xff; 64], "a header of absurd length");
    let elsewhere = FeatureKey {
        split: Split::Val,
        ..key()
    };
    assert_ignored(&entry(&elsewhere, &features()), "the entry of another key");
    let bare = safetensors::serialize::<&str, safetensors::tensor::TensorView<'_>, _>([], None);
    assert_ignored(&bare.unwrap(), "safetensors without header");
}

#[test]
fn threads_may_write_and_read_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    let store = FeatureStore::open(dir.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..8 {
                    store.put(&key(), &features()).unwrap();
                    assert_eq!(store.get(&key()).unwrap(), Some(features()));
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
        if let Some(found) = store.get(&key()).unwrap() {
            assert_eq!(found, features());
        }
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(store.get(&key()).unwrap(), Some(features()));
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
        store.put(&key(), &features()).unwrap();
    }
}
