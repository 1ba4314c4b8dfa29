//! Data sets in other formats, from the command line to the report.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use harness_data::{Dataset, Split};
use harness_report::{Report, Status};

use crate::env::{TestEnv, embedded};

impl TestEnv {
    fn run_on_data(&self, methods: &str, rest: &str) -> Report {
        let text = format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: {methods}\nshots: [1]\nseeds: [1]\nrecipe: {{epochs: 1}}\n{rest}"
        );
        self.write("suite.yaml", text);
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
    let env = TestEnv::new();
    let digits = Dataset::open(&embedded().join("datasets/digits")).unwrap();
    let mut lists = serde_json::json!({"train": [], "val": [], "test": []});
    let mut table = "path,split,class,label\n".to_owned();
    for split in Split::ALL {
        for (index, label) in digits.split(split).labels.iter().enumerate() {
            let id = &digits.class_ids()[*label as usize];
            let path = format!("{split}/{index}.png");
            env.write(&format!("copy/images/{path}"), png(&digits, split, index));
            table += &format!("images/{path},{split},{id},{label}\n");
            let list = lists[split.as_str()].as_array_mut().unwrap();
            list.push(serde_json::json!([path, label, id]));
        }
    }
    env.write("copy/split_zhou_Digits.json", lists.to_string());
    env.write("copy/table.csv", table);
    let report = env.run_on_data(
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

    let check = env.harness(&["data", "check", "suite.yaml", "--quick"]);
    assert!(check.status.success());
    let stdout = String::from_utf8(check.stdout).unwrap();
    for manifest in manifests {
        assert!(stdout.contains(&format!("manifest {manifest}")), "{stdout}");
    }
    let few_shot = ["data", "few-shot", "./copy", "--shots", "1", "--seed", "1"];
    let few_shot = env.harness(&[&few_shot[..], &["--sampler", "clip-lora"]].concat());
    let stderr = String::from_utf8(few_shot.stderr).unwrap();
    assert!(stderr.contains(&training.picks_sha256), "{stderr}");
    assert_eq!(
        String::from_utf8(few_shot.stdout).unwrap().lines().count(),
        10
    );
}

#[test]
fn modules_meet_other_classes_by_their_ids() {
    let env = TestEnv::new();
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
                env.write(&path, png(&digits, split, index));
            }
        }
    };
    env.write("data/imagenet/classnames.txt", &names);
    put(Split::Train, "imagenet/images/train", &[0, 1, 2], 3);
    put(Split::Test, "imagenet/images/val", &[0, 1, 2], 4);
    put(Split::Test, "imagenet-adversarial/imagenet-a", &[1, 2], 5);
    put(Split::Test, "imagenet-rendition/imagenet-r", &[1, 7], 5);
    let link = env.path("data/imagenet-adversarial/imagenet-a/n00000001/gone.png");
    std::os::unix::fs::symlink("nowhere.png", link).unwrap();

    let methods = "[coop, {id: coop, label: csc, config: {class_specific: true}}]";
    let rest = "data: data\ndatasets:\n\
         - {name: imagenet-a, allow_missing: true}\n- imagenet-r\n- imagenet\n";
    let report = env.run_on_data(methods, rest);
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
    let suite = std::fs::read_to_string(env.path("suite.yaml")).unwrap();
    env.write("suite.yaml", suite.replace(rest, &strict));
    let output = env.harness(&["run", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("missing image (1): n00000001/gone.png"),
        "{stderr}"
    );
}

#[test]
fn a_known_data_set_that_is_not_there_is_told_with_its_files() {
    let env = TestEnv::new();
    let output = env.harness(&["data", "check", "dtd", "--data", "."]);
    assert_eq!(output.status.code(), Some(96));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("dtd/split_zhou_DescribableTextures.json"),
        "{stdout}"
    );
    let output = env.harness(&["data", "few-shot", "eurosat", "--shots", "1", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("--data, HARNESS_DATA"), "{stderr}");
}

/// Serves the files below `root` as a hub serves those of a data set, until the test ends.
fn serve(root: PathBuf, repo: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let before = format!("/datasets/{repo}/resolve/");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let Some(Ok(first)) = lines.next() else {
                continue;
            };
            for line in lines.by_ref() {
                if line.is_ok_and(|line| line.is_empty()) {
                    break;
                }
            }
            let mut words = first.split(' ');
            let (verb, path) = (words.next().unwrap(), words.next().unwrap());
            let file = path.strip_prefix(&before).and_then(|path| {
                let (_, name) = path.split_once('/')?;
                std::fs::read(root.join(name)).ok()
            });
            let status = if file.is_some() { "200 OK" } else { "404 No" };
            let body = file.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\
                 X-Repo-Commit: {}\r\n\r\n",
                body.len(),
                "c".repeat(40)
            );
            stream.write_all(head.as_bytes()).unwrap();
            if verb == "GET" {
                stream.write_all(&body).unwrap();
            }
        }
    });
    url
}

/// Writes the digits in CLIP_benchmark's layout, two shards a split.
fn put_shards(env: &TestEnv, folder: &str) {
    let digits = Dataset::open(&embedded().join("datasets/digits")).unwrap();
    let names = digits.class_names().join("\n");
    env.write(&format!("{folder}/classnames.txt"), names);
    for split in [Split::Train, Split::Test] {
        env.write(&format!("{folder}/{split}/nshards.txt"), "2\n");
        let labels = &digits.split(split).labels;
        for shard in 0..2 {
            let mut archive = tar::Builder::new(Vec::new());
            let mut append = |name: String, content: &[u8]| {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o644);
                archive.append_data(&mut header, name, content).unwrap();
            };
            for (index, label) in labels.iter().enumerate().filter(|(i, _)| i % 2 == shard) {
                append(format!("s{index}.png"), &png(&digits, split, index));
                append(format!("s{index}.cls"), label.to_string().as_bytes());
            }
            let bytes = archive.into_inner().unwrap();
            env.write(&format!("{folder}/{split}/{shard}.tar"), bytes);
        }
    }
}

#[test]
fn a_data_set_of_a_hub_is_listed_fetched_and_read_where_it_lies() {
    let env = TestEnv::new();
    put_shards(&env, "served");
    let name = "hf:clip-benchmark/wds_digits";
    let suite = format!(
        "name: test\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
         methods: [coop]\nshots: [1]\nseeds: [1]\nrecipe: {{epochs: 1}}\n\
         datasets:\n- {{name: '{name}', label: hub}}\n- {{name: ./served, label: local}}\n"
    );
    env.write("suite.yaml", &suite);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let plan = env.harness(&["plan", "suite.yaml"]);
    let plan = text(plan.stdout) + &text(plan.stderr);
    for part in [
        "data set hub: not complete on this machine; published as clip-benchmark/wds_digits@main; the number of shards is known once",
        "test/nshards.txt (size unknown): ",
        "datasets--clip-benchmark--wds_digits/snapshots/main/classnames.txt",
        "waiting=1 ",
        "`harness fetch suite.yaml` gets 2 files",
    ] {
        assert!(plan.contains(part), "{part} in\n{plan}");
    }
    let check = env.harness(&["data", "check", name]);
    assert_eq!(check.status.code(), Some(96));
    let check = text(check.stdout);
    assert!(
        check.contains(&format!("`harness fetch --dataset {name}`")),
        "{check}"
    );

    // A run fetches by itself.
    let url = serve(env.path("served"), "clip-benchmark/wds_digits");
    let mut run = env.command(&["run", "suite.yaml", "-o", "report.json"]);
    let run = run.env("HF_ENDPOINT", &url).output().unwrap();
    assert!(run.status.success(), "{}", text(run.stderr));
    let report = Report::read(env.path("report.json")).unwrap();
    assert_eq!(measured(&report, "hub"), measured(&report, "local"));
    assert_eq!(measured(&report, "hub").len(), 4);
    let manifest = |index: usize| &report.datasets[index].manifest_sha256;
    assert_eq!(manifest(0), manifest(1));

    let fetch = env
        .command(&["fetch", "--dataset", name])
        .env("HF_ENDPOINT", url)
        .output();
    let fetch = text(fetch.unwrap().stdout);
    assert!(fetch.contains("fetched=0 bytes=0 missing=0"), "{fetch}");
    let check = text(env.harness(&["data", "check", name, "--quick"]).stdout);
    assert!(
        check.contains(&format!("manifest {}", manifest(0))),
        "{check}"
    );

    env.write("suite.yaml", suite.replace("hf:clip-benchmark/", "hf:"));
    for command in ["plan", "fetch"] {
        let stderr = text(env.harness(&[command, "suite.yaml"]).stderr);
        let place = "suite.yaml:8:10: invalid repository \"wds_digits\"";
        assert!(stderr.contains(place), "{command}: {stderr}");
    }
}
