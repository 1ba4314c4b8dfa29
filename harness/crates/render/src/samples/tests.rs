use std::path::Path;

use super::{PagesError, Picture, Pictures, write_pages};
use crate::fixture;
use harness_report::samples::{CellPredictions, Predictions};
use harness_report::{Report, Seeds, Status, Upgrade};

/// One method on one data set of two classes.
fn small() -> Report {
    fixture::report(&["coop"], &["shapes"], &[1], |_, _, _| Err(Status::NotRun))
}

/// Pictures of one byte; that of image 3 cannot be read.
struct Bytes;

impl Pictures for Bytes {
    fn picture(&self, _: &str, image: usize) -> Option<Picture> {
        (image != 3).then(|| Picture {
            media_type: "image/png",
            bytes: vec![b'0' + u8::try_from(image).unwrap()],
            width: 32,
            height: 16,
        })
    }

    fn name(&self, dataset: &str, image: usize) -> String {
        format!("{dataset}/<b>{image}")
    }
}

const LABELS: [u32; 6] = [0, 0, 0, 0, 1, 1];
const CONFIDENCES: [f32; 6] = [0.5, 0.75, 0.625, 0.5, 0.5, 0.5];

fn predictions(classes: &[u32; 6]) -> Option<Predictions<'_>> {
    Some(Predictions {
        classes,
        confidences: &CONFIDENCES,
        of_truth: &CONFIDENCES,
    })
}

/// Two flips because of the module, one because of the backbone, one image fixed.
const BASE: [u32; 6] = [0, 0, 0, 0, 1, 0];
const ZERO: [u32; 6] = [0, 0, 0, 1, 1, 0];
const NEW: [u32; 6] = [1, 1, 0, 1, 1, 1];

fn cell<'a>(report: &'a Report, seed: u64) -> CellPredictions<'a> {
    CellPredictions {
        method: &report.methods[0].label,
        dataset: &report.datasets[0].name,
        upgrade: Upgrade {
            source: "old".to_owned(),
            target: "new".to_owned(),
        },
        shots: 4,
        seed: Seeds::from(seed),
        labels: &LABELS,
        conditions: [
            None,
            predictions(&BASE),
            predictions(&ZERO),
            predictions(&NEW),
            predictions(&ZERO),
        ],
    }
}

fn written(most: usize) -> (tempfile::TempDir, String, String) {
    let report = small();
    let folder = tempfile::tempdir().unwrap();
    let cells = [cell(&report, 2), cell(&report, 1)];
    assert_eq!(
        write_pages(&report, &cells, &Bytes, most, folder.path()).unwrap(),
        1
    );
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let (index, page) = (read("index.html"), read("cell-0001.html"));
    (folder, index, page)
}

#[test]
fn a_page_shows_what_changed_and_why() {
    let (_folder, index, page) = written(12);
    assert!(
        index.contains("<a href=\"cell-0001.html\">3 / 1</a> <small>6 images</small>"),
        "{index}"
    );
    for part in [
        "old → new, 4 shots, seed 1, 6 test images",
        "3 images were right before and are wrong now, 2 of them because of the module; the module \
         fixes 1 that the target&#x27;s zero-shot gets wrong.",
        "<a href=\"#by-module\">Negative flips caused by the module</a>: 2",
        "<a href=\"#by-backbone\">Negative flips caused by the backbone</a>: 1",
        "<a href=\"#fixed\">What the module fixed</a>: 1",
        // Image 1, of which New is surest.
        "src=\"data:image&#x2f;png;base64,MQ==\" width=\"32\" height=\"16\"",
        "The image cannot be read.",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("fixed by retraining"), "{page}");
    let (first, second) = (
        page.find("base64,MQ==").unwrap(),
        page.find("base64,MA==").unwrap(),
    );
    assert!(first < second);
}

#[test]
fn what_is_not_shown_is_counted() {
    let (_folder, _, page) = written(1);
    assert!(page.contains("Shown: 1, those New is surest of."), "{page}");
    assert!(!page.contains("base64,MA=="));
    // Both pairs of classes, with their counts in Base and New; the source's zero-shot is unknown.
    let confusions = page.split_once("id=\"confusions\"").unwrap().1;
    let counts: Vec<&str> = confusions
        .split("<td>")
        .skip(1)
        .map(|part| part.split_once("</td>").unwrap().0)
        .collect();
    let report = small();
    let names = &report.datasets[0].class_names;
    assert_eq!(
        counts,
        [
            names[1].as_str(),
            "n&#x2f;a",
            "0",
            "1",
            "3",
            "1",
            names[0].as_str(),
            "n&#x2f;a",
            "1",
            "1",
            "0",
            "1",
        ]
    );
}

#[test]
fn hostile_names_stay_text() {
    let mut report = small();
    report.datasets[0].class_names = vec!["<script>a".to_owned(), "\"onerror=b".to_owned()];
    report.methods[0].label = "<img src=x>".to_owned();
    report.suite.name = "</style><script>".to_owned();
    let folder = tempfile::tempdir().unwrap();
    write_pages(&report, &[cell(&report, 1)], &Bytes, 12, folder.path()).unwrap();
    for name in ["index.html", "cell-0001.html"] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        for part in ["<script>", "<img src=x", "alt=\"\"onerror", "<b>"] {
            assert!(!page.contains(part), "{name}: {part}\n{page}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let report = small();
    let nowhere = Path::new("/dev/null/pages");
    let error = write_pages(&report, &[], &Bytes, 12, nowhere).unwrap_err();
    assert!(matches!(error, PagesError::Write { .. }));
    assert!(
        error.to_string().starts_with("/dev/null/pages: "),
        "{error}"
    );
}
