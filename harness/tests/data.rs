//! Data sets in other formats, from the command line to the report.
//!
//! The plugin is the one that cargo built beside this test, so these tests need
//! `cargo test --workspace`.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness_data::{Dataset, Split};
use harness_report::{Report, Status};

fn embedded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../suites/embedded")
}

struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn harness(&self, arguments: &[&str]) -> Output {
        let executable = std::env::current_exe().unwrap();
        Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HARNESS_EMBEDDED", embedded())
            .env("HARNESS_PLUGIN_PATH", executable.parent().unwrap())
            .env_remove("HARNESS_STORE")
            .env_remove("HARNESS_DATA")
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    fn run(&self, methods: &str, rest: &str) -> Report {
        let text = format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: {methods}\nshots: [1]\nseeds: [1]\nrecipe: {{epochs: 1}}\n{rest}"
        );
        self.put("suite.yaml", text);
        let output = self.harness(&["run", "suite.yaml", "-o", "report.json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        Report::read(self.path("report.json")).unwrap()
    }
}

/// The bytes of one image of the digits as a PNG.
fn png(digits: &Dataset, split: Split, index: usize) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = digits.image(split, index).unwrap();
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What was measured on a data set, without its name.
fn measured(report: &Report, dataset: &str) -> Vec<(String, String)> {
    let cells = report.cells.iter().filter(|cell| cell.dataset == dataset);
    cells
        .flat_map(|cell| {
            let conditions = cell.conditions.measured();
            conditions.map(|(name, it)| (name.to_owned(), it.logits_sha256.clone()))
        })
        .collect()
}

#[test]
fn a_data_set_gives_the_same_bits_in_every_format() {
    let ground = Ground::new();
    let digits = Dataset::open(&embedded().join("datasets/digits")).unwrap();
    let mut lists = serde_json::json!({"train": [], "val": [], "test": []});
    let mut table = "path,split,class,label\n".to_owned();
    for split in Split::ALL {
        for (index, label) in digits.split(split).labels.iter().enumerate() {
            let id = &digits.class_ids()[*label as usize];
            let path = format!("{split}/{index}.png");
            ground.put(&format!("copy/images/{path}"), png(&digits, split, index));
            table += &format!("images/{path},{split},{id},{label}\n");
            let list = lists[split.as_str()].as_array_mut().unwrap();
            list.push(serde_json::json!([path, label, id]));
        }
    }
    ground.put("copy/split_zhou_Digits.json", lists.to_string());
    ground.put("copy/table.csv", table);
    let report = ground.run(
        "[coop]",
        "sampler: clip-lora\ndatasets:\n\
         - digits\n\
         - {name: ./copy, label: split, templates: [\"a picture of a {} .\"]}\n\
         - {name: ./copy/table.csv, label: table, templates: [\"a picture of a {} .\"]}\n",
    );
    let original = measured(&report, "digits");
    assert_eq!(original.len(), 4);
    assert_eq!(measured(&report, "split"), original);
    assert_eq!(measured(&report, "table"), original);
    let manifests: Vec<&str> = report
        .datasets
        .iter()
        .map(|dataset| dataset.manifest_sha256.as_str())
        .collect();
    assert_eq!(manifests[1], manifests[2]);
    let training = report.cells[0].training.as_ref().unwrap();
    assert_eq!(training.sampler.as_deref(), Some("clip-lora"));

    let check = ground.harness(&["data", "check", "suite.yaml", "--quick"]);
    assert!(check.status.success());
    let stdout = String::from_utf8(check.stdout).unwrap();
    for manifest in manifests {
        assert!(stdout.contains(&format!("manifest {manifest}")), "{stdout}");
    }
    let picks = ["data", "picks", "./copy", "--shots", "1", "--seed", "1"];
    let picks = ground.harness(&[&picks[..], &["--sampler", "clip-lora"]].concat());
    let stderr = String::from_utf8(picks.stderr).unwrap();
    assert!(stderr.contains(&training.picks_sha256), "{stderr}");
    assert_eq!(String::from_utf8(picks.stdout).unwrap().lines().count(), 10);
}

#[test]
fn modules_meet_other_classes_by_their_ids() {
    let ground = Ground::new();
    let digits = Dataset::open(&embedded().join("datasets/digits")).unwrap();
    let wnid = |label: u32| format!("n0000000{label}");
    let names: String = (0..10)
        .map(|label| format!("{} {}\n", wnid(label), digits.class_names()[label as usize]))
        .collect();
    let put = |split: Split, folder: &str, labels: &[u32], most: usize| {
        for &label in labels {
            let of_label = digits.split(split).labels.iter().enumerate();
            let of_label = of_label.filter(|(_, found)| **found == label);
            for (index, _) in of_label.take(most) {
                let path = format!("data/{folder}/{}/{index}.png", wnid(label));
                ground.put(&path, png(&digits, split, index));
            }
        }
    };
    ground.put("data/imagenet/classnames.txt", &names);
    put(Split::Train, "imagenet/images/train", &[0, 1, 2], 3);
    put(Split::Test, "imagenet/images/val", &[0, 1, 2], 4);
    put(Split::Test, "imagenet-adversarial/imagenet-a", &[1, 2], 5);
    put(Split::Test, "imagenet-rendition/imagenet-r", &[1, 7], 5);
    let link = ground.path("data/imagenet-adversarial/imagenet-a/n00000001/gone.png");
    std::os::unix::fs::symlink("nowhere.png", link).unwrap();

    let methods = "[coop, {id: coop, label: csc, config: {class_specific: true}}]";
    let rest = "data: data\ndatasets:\n\
         - {name: imagenet-a, allow_missing: true}\n- imagenet-r\n- imagenet\n";
    let report = ground.run(methods, rest);
    let cell = |method: &str, dataset: &str| {
        let mut cells = report.cells.iter();
        cells
            .find(|cell| cell.method == method && cell.dataset == dataset)
            .unwrap()
    };
    for (method, dataset) in [
        ("coop", "imagenet-a"),
        ("coop", "imagenet-r"),
        ("coop", "imagenet"),
        ("csc", "imagenet-a"),
        ("csc", "imagenet"),
    ] {
        assert_eq!(
            cell(method, dataset).status,
            Status::Ok,
            "{method} {dataset}"
        );
    }
    let Status::NotInjectable { reason } = &cell("csc", "imagenet-r").status else {
        panic!("{:?}", cell("csc", "imagenet-r").status);
    };
    assert!(
        reason
            .contains("bound to the 3 classes of imagenet; of the classes of imagenet-r it lacks")
            && reason.contains("n00000007"),
        "{reason}"
    );
    // One training serves every set that is shifted from it, and stays as it was.
    let module = |dataset| {
        let training = cell("csc", dataset).training.clone().unwrap();
        let after = training.parameters_sha256_after.unwrap();
        assert_eq!(training.parameters_sha256_before, after);
        training.module_sha256
    };
    assert_eq!(module("imagenet-a"), module("imagenet"));
    let missing: Vec<u64> = report.datasets.iter().map(|data| data.missing).collect();
    assert_eq!(missing, [1, 0, 0]);

    let strict = rest.replace("{name: imagenet-a, allow_missing: true}", "imagenet-a");
    let suite = std::fs::read_to_string(ground.path("suite.yaml")).unwrap();
    ground.put("suite.yaml", suite.replace(rest, &strict));
    let output = ground.harness(&["run", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("missing image (1): n00000001/gone.png"),
        "{stderr}"
    );
}

#[test]
fn a_known_data_set_that_is_not_there_is_told_with_its_files() {
    let ground = Ground::new();
    let output = ground.harness(&["data", "check", "dtd", "--data", "."]);
    assert_eq!(output.status.code(), Some(96));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("dtd/split_zhou_DescribableTextures.json"),
        "{stdout}"
    );
    let output = ground.harness(&["data", "picks", "eurosat", "--shots", "1", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("--data, HARNESS_DATA"), "{stderr}");
}
