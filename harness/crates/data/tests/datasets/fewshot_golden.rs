//! The few-shot splits published for real data sets are reproduced from their split files.
//!
//! Cases are the files of the golden folder's `datasets/`: `split_zhou_*.json` and
//! `fewshot_*.json` = `{"shots16-seed1": {"train": [path, ...], "val": [...]}}`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use harness_data::{Sampler, Split, SplitFile, few_shot};

type Cases = BTreeMap<String, HashMap<String, Vec<String>>>;

fn golden() -> PathBuf {
    let root = match std::env::var_os("HARNESS_GOLDEN") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
    };
    root.join("datasets")
}

fn files(prefix: &str) -> Vec<PathBuf> {
    if std::env::var_os("HARNESS_GOLDEN").is_some() && !golden().exists() {
        eprintln!("{:?} does not exist: no cases", golden());
        return Vec::new();
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(golden())
        .expect("the golden folder has datasets/")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".json")
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no {prefix}*.json in {:?}", golden());
    found
}

fn splits() -> Vec<(PathBuf, SplitFile)> {
    files("split_zhou_")
        .into_iter()
        .map(|path| {
            let file = SplitFile::read(&path).expect("a sound split file");
            (path, file)
        })
        .collect()
}

fn paths(file: &SplitFile, split: Split, indices: &[usize]) -> Vec<String> {
    let items = file.split(split);
    indices.iter().map(|&i| items[i].path.clone()).collect()
}

/// The folder that the published list puts before the paths of `file`, if it is about `file`.
fn prefix(published: &[String], file: &SplitFile) -> Option<String> {
    let known: HashSet<&str> = file.train.iter().map(|item| item.path.as_str()).collect();
    let first = published.first()?;
    let mut folders = first.match_indices('/').map(|(at, _)| &first[..=at]);
    let all_known = |folder: &&str| {
        published.iter().all(|path| {
            path.strip_prefix(folder)
                .is_some_and(|relative| known.contains(relative))
        })
    };
    folders.find(all_known).map(str::to_owned)
}

fn number(case: &str, word: &str) -> u64 {
    case.split('-')
        .find_map(|part| part.strip_prefix(word)?.parse().ok())
        .unwrap_or_else(|| panic!("`{case}` does not say {word}"))
}

#[test]
fn golden_splits_equal_the_published_lists() {
    let splits = splits();
    for path in files("fewshot_") {
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Cases = serde_json::from_str(&text).unwrap();
        assert!(!cases.is_empty(), "{path:?} has no cases");
        for (case, lists) in &cases {
            let (file, folder) = splits
                .iter()
                .find_map(|(_, file)| Some((file, prefix(&lists["train"], file)?)))
                .unwrap_or_else(|| panic!("{path:?}: no split file has the images of {case}"));
            let sampled = few_shot(
                &file.labels(Split::Train),
                &file.labels(Split::Val),
                number(case, "shots") as usize,
                number(case, "seed"),
                Sampler::Coop,
            );
            for (split, indices) in [(Split::Train, &sampled.train), (Split::Val, &sampled.val)] {
                let ours: Vec<String> = paths(file, split, indices)
                    .iter()
                    .map(|relative| format!("{folder}{relative}"))
                    .collect();
                assert_eq!(ours, lists[split.as_str()], "{path:?} {case} {split}");
            }
        }
    }
}

/// Split file by the start of its SHA-256, then the start of the SHA-256 over the newline-joined
/// 16-shot training paths of seeds 1, 2 and 3.
const HASHES: [(&str, [&str; 3]); 7] = [
    (
        "52ce83205ff8ff8a",
        ["e60a836bd33cbba3", "62be9f804c23dea9", "8c465c68bff43c6e"],
    ),
    (
        "f26ebeccd2b58e68",
        ["daf3b28e531fbc4b", "a34259006a2af32a", "d4a9dc52a372cccc"],
    ),
    (
        "541503a77d0b26b7",
        ["ad260707da9107f1", "212e6c8813227418", "9dad8ac018414f09"],
    ),
    (
        "2f50c42fc1a17ca1",
        ["ea366f552e24a82b", "3966d8c7701959cc", "d027071e2f771db1"],
    ),
    (
        "d7f3ffe65b3919f9",
        ["711e62ca7ba4bf69", "3ecc09fd23ef3845", "45933e694768aaab"],
    ),
    (
        "40acee7aa65c8e47",
        ["f7d56096c7921e7a", "c8392ec0f0d4a698", "d5d533f8b5c5caf8"],
    ),
    (
        "d78cb834f7c5792c",
        ["b88bd6d2db741f87", "a510bb0001f043a5", "6bfebd6fbe0806ac"],
    ),
];

fn short_sha(bytes: &[u8]) -> String {
    harness_store::sha256_hex(bytes)[..16].to_owned()
}

#[test]
fn golden_hashes_of_the_sixteen_shot_lists() {
    let mut known = 0;
    for (path, file) in splits() {
        let sha = short_sha(&std::fs::read(&path).unwrap());
        let Some((_, hashes)) = HASHES.iter().find(|(split, _)| *split == sha) else {
            continue;
        };
        known += 1;
        let labels = file.labels(Split::Train);
        for (seed, hash) in (1..).zip(hashes) {
            let sampled = few_shot(&labels, &[], 16, seed, Sampler::Coop);
            let list = paths(&file, Split::Train, &sampled.train).join("\n");
            assert_eq!(short_sha(list.as_bytes()), *hash, "{path:?} seed {seed}");
        }
    }
    // Another golden folder need not have the files whose hashes are known.
    if std::env::var_os("HARNESS_GOLDEN").is_none() {
        assert_eq!(known, 2, "dtd and oxford_pets");
    }
}
