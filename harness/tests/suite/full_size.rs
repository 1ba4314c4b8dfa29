//! The whole pipeline on checkpoints of full size: zero-shot, CoOp and ContCoOp with two
//! seeds, from OpenAI's B/16 to EVA02's, random weights, real pictures in CoOp's layout.
//!
//! It takes minutes and a gigabyte of disk: `cargo test --workspace full_size_upgrade -- --ignored`.

#[path = "../../crates/backbone/tests/suite/checkpoint.rs"]
mod checkpoint;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use checkpoint::Model;
use serde_json::{Value, json};

/// On two cores.
const BUDGET: Duration = Duration::from_secs(600);
/// Classes and the picture that each is cut from.
const CLASSES: [(&str, &str); 3] = [
    ("beagle", "landscape.jpg"),
    ("samoyed", "portrait.jpg"),
    ("siamese", "square.png"),
];
/// Pictures of a class in train, val and test.
const SIZES: [(&str, u32); 3] = [("train", 3), ("val", 1), ("test", 3)];

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

/// Writes crops of a few photographs as Oxford Pets lies on disk.
fn write_pets(folder: &Path) {
    std::fs::create_dir_all(folder.join("images")).unwrap();
    let mut splits = json!({"train": [], "val": [], "test": []});
    for (label, (class, source)) in CLASSES.iter().enumerate() {
        let picture = image::open(fixtures().join("golden/io").join(source)).unwrap();
        let picture = picture.into_rgb8();
        let side = picture.width().min(picture.height()) * 3 / 4;
        let mut number = 0;
        for (split, count) in SIZES {
            for _ in 0..count {
                let place = |length: u32, pace: u32| number * pace % (length - side + 1);
                let (x, y) = (place(picture.width(), 31), place(picture.height(), 17));
                let crop = image::imageops::crop_imm(&picture, x, y, side, side).to_image();
                let name = format!("{class}_{number}.png");
                crop.save(folder.join("images").join(&name)).unwrap();
                let items = splits[split].as_array_mut().unwrap();
                items.push(json!([name, label, class]));
                number += 1;
            }
        }
    }
    std::fs::write(
        folder.join("split_zhou_OxfordPets.json"),
        splits.to_string(),
    )
    .unwrap();
}

/// What must not change: which test images each condition gets right, and the last loss.
fn essence(report: &Value) -> Value {
    let cells = report["cells"].as_array().unwrap().iter();
    let cells = cells.map(|cell| {
        assert_eq!(cell["status"], "ok", "{cell:#}");
        let correct = |name: &str| {
            let condition = &cell["conditions"][name];
            json!([condition["correct"], condition["correct_bitmap"]])
        };
        json!({
            "method": cell["method"],
            "seed": cell["seed"],
            "zero_source": correct("zero_source"),
            "base": correct("base"),
            "zero_target": correct("zero_target"),
            "new": correct("new"),
            "final_loss": cell["training"]["final_loss"],
        })
    });
    cells.collect()
}

/// Equal but for the last digits of a loss, in which processors may differ.
fn assert_same(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_array().unwrap(), expected.as_array().unwrap());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        for (key, expected) in expected.as_object().unwrap() {
            match (key.as_str(), found[key].as_f64(), expected.as_f64()) {
                ("final_loss", Some(found), Some(expected)) => assert!(
                    (found - expected).abs() <= 1e-3 * expected.abs(),
                    "loss {found} instead of {expected}"
                ),
                _ => assert_eq!(&found[key], expected, "{key} of {found}"),
            }
        }
    }
}

#[test]
#[ignore = "minutes on two cores, a gigabyte of disk"]
fn a_full_size_upgrade_gives_the_stored_numbers() {
    let work = tempfile::tempdir().unwrap();
    for name in ["clip-vit-b16", "eva02-clip-b16"] {
        let folder = work.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        Model::read(&fixtures().join("checkpoints"), name).write_random(&folder);
    }
    write_pets(&work.path().join("oxford_pets"));
    let full_size = fixtures().join("full-size");
    std::fs::copy(full_size.join("suite.yaml"), work.path().join("suite.yaml")).unwrap();

    let libraries = std::env::current_exe().unwrap();
    let clock = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["run", "suite.yaml", "-o", "report.json"])
        .current_dir(work.path())
        .env("HARNESS_PLUGIN_PATH", libraries.parent().unwrap())
        .env_remove("HARNESS_EMBEDDED")
        .env_remove("HARNESS_STORE")
        .output()
        .unwrap();
    let took = clock.elapsed();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    println!("{}\n{took:.0?}", String::from_utf8_lossy(&output.stdout));
    let report = std::fs::read(work.path().join("report.json")).unwrap();
    let found = essence(&serde_json::from_slice(&report).unwrap());
    println!("{found:#}");
    let expected = std::fs::read(full_size.join("expected.json")).unwrap();
    assert_same(&found, &serde_json::from_slice(&expected).unwrap());
    assert!(took < BUDGET, "{took:.0?}");
}
