//! A module on pictures that are in no data set.

use std::process::Output;

use serde_json::Value;

use crate::env::{TestEnv, embedded};

/// Side of an image of digits in pixels.
const SIDE: u32 = 8;
const NAMES: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];
const MODULE: &str = "prod/coop_digits_1shot_seed1.safetensors";

/// A module of micro-clip on digits, and the first test images of digits in `photos/`.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 2}\n",
    );
    let run = [
        "run",
        "suite.yaml",
        "--keep-modules",
        "prod",
        "--log-samples",
        "samples.jsonl",
    ];
    ended(&env.harness(&run), 0);
    let sheet = image::open(embedded().join("datasets/digits/test.png")).unwrap();
    std::fs::create_dir_all(env.path("photos/more")).unwrap();
    let across = sheet.width() / SIDE;
    for at in 0..8 {
        let (x, y) = (at % across * SIDE, at / across * SIDE);
        let folder = if at < 6 { "photos" } else { "photos/more" };
        let path = env.path(folder).join(format!("{at}.png"));
        sheet.crop_imm(x, y, SIDE, SIDE).save(path).unwrap();
    }
    env
}

fn ended(output: &Output, status: i32) -> (String, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn a_picture_gets_the_label_and_score_that_it_has_as_a_test_image() {
    let env = env();
    let predict = [
        "predict",
        "--module",
        MODULE,
        "--backbone",
        "micro-eva-clip",
        "--images",
        "photos",
    ];
    let (csv, _) = ended(&env.harness(&predict), 0);
    let samples = std::fs::read_to_string(env.path("samples.jsonl")).unwrap();
    let samples: Vec<Value> = samples
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("image,label,score,zero_shot_label,zero_shot_score")
    );
    let mut seen = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let at: usize = fields[0]
            .trim_start_matches("photos/")
            .trim_start_matches("more/")
            .trim_end_matches(".png")
            .parse()
            .unwrap();
        for (condition, name, score) in [
            ("new", fields[1], fields[2]),
            ("zero_target", fields[3], fields[4]),
        ] {
            let expected = &samples[at]["conditions"][condition];
            let class = expected["prediction"].as_u64().unwrap();
            assert_eq!(name, NAMES[class as usize], "{line}");
            let score: f64 = score.parse().unwrap();
            let expected = expected["confidence"].as_f64().unwrap();
            assert!((score - expected).abs() < 1e-5, "{line}: {expected}");
        }
        seen.push(at);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);

    let two = [&predict[..], &["--top", "2", "-o", "preds.csv"]].concat();
    let (told, _) = ended(&env.harness(&two), 0);
    assert!(told.starts_with("Summary images=8 classes=10 "), "{told}");
    let written = std::fs::read_to_string(env.path("preds.csv")).unwrap();
    assert!(written.starts_with("image,label,score,label_2,score_2,zero_shot_label"));
    assert_eq!(written.lines().count(), 9);
}

#[test]
fn what_cannot_be_predicted_is_told_and_leaves_no_file() {
    let env = env();
    env.write("photos/broken.png", "no image");
    env.write("empty/notes.txt", "");
    let predict = |rest: &[&str], status: i32| {
        let all = [&["predict", "--module", MODULE, "-o", "p.csv"][..], rest].concat();
        ended(&env.harness(&all), status).1
    };
    let images = ["--backbone", "micro-clip", "--images"];
    let told = predict(&[&images[..], &["photos"]].concat(), 96);
    assert!(
        told.contains("1 of 9 images cannot be read: photos/broken.png"),
        "{told}"
    );
    let told = predict(&[&images[..], &["empty"]].concat(), 96);
    assert!(told.contains("no image file found"), "{told}");
    let told = predict(&[&images[..], &["gone.png"]].concat(), 96);
    assert!(told.contains("gone.png: "), "{told}");
    let told = predict(
        &["--backbone", "micro-clop", "--images", "photos/1.png"],
        96,
    );
    assert!(told.contains("micro-clop"), "{told}");
    let told = predict(
        &[&images[..], &["photos/1.png", "--dataset", "nowhere"]].concat(),
        96,
    );
    assert!(told.contains("nowhere"), "{told}");
    assert!(!env.path("p.csv").exists());
    let other = [
        "predict",
        "--module",
        "suite.yaml",
        "--backbone",
        "micro-clip",
    ];
    let other = [&other[..], &["--images", "photos/1.png"]].concat();
    let (_, told) = ended(&env.harness(&other), 96);
    assert!(told.contains("suite.yaml: "), "{told}");
}
