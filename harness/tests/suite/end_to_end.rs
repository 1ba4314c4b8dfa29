//! The main job with real plugins, real workers and the embedded backbones.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness_report::{Condition, Report, Status};

use crate::env::{TestEnv, embedded, library};

impl TestEnv {
    pub(crate) fn suite(&self, methods: &str, targets: &str, rest: &str) {
        let text = format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: {targets}}}]\n\
             methods: {methods}\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n\
             recipe: {{epochs: 1}}\n{rest}"
        );
        self.write("suite.yaml", text);
    }

    /// Runs the suite and reads the report that it writes.
    fn run(&self, arguments: &[&str], status: i32) -> (Report, Output) {
        let mut all = vec!["run", "suite.yaml", "-o", "report.json"];
        all.extend(arguments);
        let output = self.harness(&all);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        (Report::read(self.path("report.json")).unwrap(), output)
    }
}

/// What must not depend on how a run was done.
pub(crate) fn numbers(report: &Report) -> Vec<(String, String, u64, String)> {
    let cells = report.cells.iter();
    cells
        .flat_map(|cell| {
            let id = format!("{} {} {}", cell.method, cell.dataset, cell.upgrade.target);
            cell.conditions.measured().map(move |(name, condition)| {
                let Condition {
                    correct,
                    logits_sha256,
                    ..
                } = condition;
                (id.clone(), name.to_owned(), *correct, logits_sha256.clone())
            })
        })
        .collect()
}

const ALL: &str = "[coop, {id: coop, label: coop-csc, config: {class_specific: true}}, kgcoop, \
    contcoop, {id: contcoop, label: contcoop-text, config: {class_embedding: text-feature}}]";

#[test]
fn each_training_is_done_on_each_split() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    let text = std::fs::read_to_string(env.path("suite.yaml")).unwrap();
    let both = "seeds: {split: [1, 2], training: [1, 2]}";
    env.write("suite.yaml", text.replace("seeds: [1]", both));
    let (report, output) = env.run(&[], 0);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("splits 1 and 2, training seeds 1 and 2"),
        "{stdout}"
    );
    let training = |seed: &str| {
        let cells = &report.cells;
        let cell = cells.iter().find(|cell| cell.seed.to_string() == seed);
        cell.unwrap().training.as_ref().unwrap()
    };
    let picks = |seed| &training(seed).picks_sha256;
    let module = |seed| &training(seed).module_sha256;
    assert_eq!(report.cells.len(), 4);
    assert_eq!(picks("1"), picks("1/2"));
    assert_eq!(picks("2"), picks("2/1"));
    assert_ne!(picks("1"), picks("2"));
    assert_ne!(module("1"), module("1/2"));
    assert_ne!(module("1"), module("2/1"));
    // The printed command runs that cell, and one number for both is the same cell as a pair.
    let (one, _) = env.run(&["--only", "seed=1/2"], 0);
    assert_eq!(one.cells, [report.cells[1].clone()]);
    env.suite("[coop]", "[micro-eva-clip]", "");
    let (plain, _) = env.run(&[], 0);
    assert_eq!(numbers(&plain), numbers(&report)[..4]);
}

#[test]
fn numbers_depend_neither_on_jobs_nor_on_what_is_stored() {
    let env = TestEnv::new();
    env.suite(ALL, "[micro-eva-clip]", "oracle: true\n");
    let (cold, output) = env.run(&["--jobs", "3"], 0);
    assert_eq!(cold.cells.len(), 5);
    assert!(cold.cells.iter().all(|cell| cell.status == Status::Ok));
    assert!(
        cold.cells
            .iter()
            .all(|cell| cell.conditions.measured().count() == 5)
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    let summary = stdout.lines().last().unwrap();
    assert!(
        summary.starts_with("Summary ok=5 not-injectable=0 failed=0"),
        "{summary}"
    );

    let (warm, _) = env.run(&[], 0);
    assert_eq!(numbers(&warm), numbers(&cold));
    let (alone, _) = env.run(&["--jobs", "1", "--store", "another"], 0);
    assert_eq!(numbers(&alone), numbers(&cold));

    let plan = env.harness(&["plan", "suite.yaml"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(
        plan.ends_with("Summary cells=5 stored=5 to-run=0 not-injectable=0 waiting=0 broken=0\n"),
        "{plan}"
    );
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn a_module_that_moves_to_its_own_backbone_stays_what_it_was() {
    let env = TestEnv::new();
    // An upgrade has two backbones, so the second is a copy.
    copy_folder(&embedded().join("backbones/micro-clip"), &env.path("same"));
    env.suite(ALL, "[./same]", "");
    let (report, _) = env.run(&[], 0);
    for cell in &report.cells {
        let (base, new) = (cell.conditions.base.as_ref(), cell.conditions.new.as_ref());
        let (base, new) = (base.unwrap(), new.unwrap());
        assert_eq!(base.logits_sha256, new.logits_sha256, "{}", cell.method);
        let training = cell.training.as_ref().unwrap();
        assert_eq!(
            Some(&training.parameters_sha256_before),
            training.parameters_sha256_after.as_ref()
        );
    }
}

#[test]
fn a_module_trained_elsewhere_is_measured_as_where_it_was_trained() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    let (trained, _) = env.run(&[], 0);
    let training = trained.cells[0].training.as_ref().unwrap();
    let modules = std::fs::read_dir(env.path(".harness/modules")).unwrap();
    let module = modules.map(|entry| entry.unwrap().path()).next().unwrap();
    std::fs::copy(module, env.path("mine.safetensors")).unwrap();

    let entry = "[{id: coop, module: mine.safetensors}]";
    env.suite(entry, "[micro-eva-clip]", "oracle: true\n");
    let (adopted, _) = env.run(&["--store", "another"], 0);
    let adopted_numbers = numbers(&adopted).into_iter();
    let without_oracle: Vec<_> = adopted_numbers.filter(|one| one.1 != "oracle").collect();
    assert_eq!(without_oracle, numbers(&trained));
    let cell = &adopted.cells[0];
    assert_eq!(cell.status, Status::Ok);
    // Retrained as its header says, whatever the suite's recipe is.
    assert!(cell.training.is_none() && cell.conditions.oracle.is_some());
    let method = &adopted.methods[0];
    assert_eq!(method.module_sha256.as_ref(), Some(&training.module_sha256));
    assert_eq!(method.recipe, None);
}

#[test]
fn a_method_that_does_not_fit_is_an_entry_with_its_reason() {
    let env = TestEnv::new();
    let too_deep = "{id: coop, label: coop-layer-9, config: {context: {layer: 9}}}";
    env.suite(&format!("[coop, {too_deep}]"), "[micro-eva-clip]", "");
    let (report, output) = env.run(&[], 0);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let found = report.cells.iter().find_map(|cell| match &cell.status {
        Status::NotInjectable { reason } => Some((cell.method.as_str(), reason.as_str())),
        _ => None,
    });
    let (method, found) = found.unwrap();
    assert_eq!(method, "coop-layer-9");
    assert!(found.contains("needs text block 9"), "{found}");
    assert!(stdout.contains("Summary ok=1 not-injectable=1"), "{stdout}");
    assert!(stdout.contains("needs text block 9"), "{stdout}");

    let plan = env.harness(&["plan", "suite.yaml"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(plan.contains("needs text block 9"), "{plan}");
}

#[test]
fn a_crash_a_hang_and_an_exit_are_cells_and_the_others_are_measured() {
    let env = TestEnv::new();
    let misbehaving = |what: &str| {
        format!("{{id: misbehaving, label: {what}, config: {{misbehaviour: {what}}}}}")
    };
    let labels = [
        "abort",
        "exit",
        "endless-loop",
        "panic-in-loss",
        "nan-logits",
        "print-to-stdout",
    ];
    let methods = labels.map(misbehaving).join(", ");
    let fixture = library("harness_fixture_methods");
    let rest = format!("time_limit: 20\nplugins: [{fixture:?}]\n");
    env.suite(
        &format!("[coop, {methods}]"),
        "[micro-clip-unrelated]",
        &rest,
    );
    let (report, output) = env.run(&["--jobs", "2"], 103);
    let status = |label: &str| {
        let cell = report
            .cells
            .iter()
            .find(|cell| cell.method == label)
            .unwrap();
        cell.status.clone()
    };
    assert_eq!(status("coop"), Status::Ok);
    assert_eq!(status("print-to-stdout"), Status::Ok);
    for (label, message) in [("abort", "signal 6"), ("exit", "status 0")] {
        match status(label) {
            Status::Crashed { message: found, .. } => assert!(found.contains(message), "{found}"),
            other => panic!("{label}: {other:?}"),
        }
    }
    for (label, message) in [
        ("panic-in-loss", "misbehaving in loss"),
        ("nan-logits", "NaN"),
    ] {
        match status(label) {
            Status::Failed { message: found } => assert!(found.contains(message), "{found}"),
            other => panic!("{label}: {other:?}"),
        }
    }
    assert!(matches!(
        status("endless-loop"),
        Status::TimedOut { seconds: 20.0, .. }
    ));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("crashed: train abort on micro-clip, digits"),
        "{stderr}"
    );
    assert!(workers(&env).is_empty());
}

#[test]
fn an_interrupted_run_leaves_no_process_and_goes_on_where_it_stopped() {
    let env = TestEnv::new();
    env.suite("[coop, kgcoop]", "[micro-clip-unrelated]", "");
    let long = ["run", "suite.yaml", "--jobs", "1"];
    let child = env
        .command(&long)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Something is stored and something is not.
    let units = env.path(".harness/units");
    let start = Instant::now();
    // Four surveys come first.
    while std::fs::read_dir(&units).map_or(0, Iterator::count) < 5 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "nothing is stored"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stdout}");
    assert!(stdout.contains("not-run=2"), "{stdout}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("run the same command again"));
    assert!(workers(&env).is_empty());

    let stored = std::fs::read_dir(&units).unwrap().count();
    let (resumed, _) = env.run(&[], 0);
    assert!(stored < std::fs::read_dir(&units).unwrap().count());
    let (whole, _) = env.run(&["--store", "another"], 0);
    assert_eq!(numbers(&resumed), numbers(&whole));
}

fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Workers of this folder that still run, found by the folder they run in.
fn workers(env: &TestEnv) -> Vec<PathBuf> {
    let here = std::fs::canonicalize(env.folder.path()).unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .map(|entry| entry.path())
        .filter(|path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == here))
        .collect()
}

#[test]
fn a_selection_runs_its_cells_alone() {
    let env = TestEnv::new();
    env.suite("[coop, kgcoop]", "[micro-clip-unrelated]", "");
    let (report, _) = env.run(&["--only", "method=kgcoop"], 0);
    let methods: Vec<&str> = report
        .cells
        .iter()
        .map(|cell| cell.method.as_str())
        .collect();
    assert_eq!(methods, ["kgcoop"]);
    // The command that a cell names runs it again.
    let words: Vec<&str> = report.cells[0].rerun.split(' ').collect();
    assert_eq!(words[0], "harness");
    let output = env.harness(&words[1..]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("Summary ok=1 "), "{stdout}");
}

#[test]
fn every_command_that_selects_reads_the_same_syntax() {
    let env = TestEnv::new();
    let label = "[{id: kgcoop, label: 'a=1, \"b\"'}, coop]";
    env.suite(label, "[micro-clip-unrelated]", "");
    let quoted = r#"method="a=1, \"b\"",seed=1"#;
    let (report, _) = env.run(&["--only", quoted], 0);
    assert_eq!(report.cells.len(), 1);
    assert_eq!(report.cells[0].method, "a=1, \"b\"");
    let commands: [&[&str]; 6] = [
        &["run", "suite.yaml"],
        &["plan", "suite.yaml"],
        &["gate", "report.json", "--baseline", "report.json"],
        &[
            "baseline",
            "accept",
            "report.json",
            "--baseline",
            "new.json",
        ],
        &["diff", "report.json", "report.json"],
        &["export", "report.json", "-o", "part.csv"],
    ];
    for command in commands {
        let ends = |only: &str| env.harness(&[command, &["--only", only]].concat());
        let output = ends(quoted);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {stderr}");
        // One value that selects nothing, beside one that does.
        let output = ends(&format!("{quoted},method=copo"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{command:?}: {stderr}");
        assert!(
            stderr.contains("no cell has method=copo, expected"),
            "{stderr}"
        );
        assert!(stderr.contains(r#""a=1, \"b\"""#), "{stderr}");
    }
}

#[test]
fn a_folder_whose_name_is_not_utf8_is_as_good_as_any() {
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::new();
    let plain = env.path("plain");
    let strange = env
        .folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let mut found = Vec::new();
    for folder in [plain, strange] {
        std::fs::create_dir(&folder).unwrap();
        env.suite("[coop]", "[micro-eva-clip]", "oracle: false");
        std::fs::rename(env.path("suite.yaml"), folder.join("suite.yaml")).unwrap();
        let mut command =
            env.command(&["run", "suite.yaml", "--store", "store", "-o", "report.json"]);
        let output = command.current_dir(&folder).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        found.push(numbers(&Report::read(folder.join("report.json")).unwrap()));
    }
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_folder_that_is_not_found_by_name_is_offered_as_a_path() {
    let env = TestEnv::new();
    std::fs::create_dir(env.path("pets")).unwrap();
    let output = env.harness(&["data", "check", "pets"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("write ./pets"), "{stdout}");
    let few = ["data", "few-shot", "pets", "--shots", "1", "--seed", "1"];
    let embed = ["embed", "pets", "--text", "t.txt", "-o", "x.safetensors"];
    for command in [&few[..], &embed[..]] {
        let output = env.harness(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("write ./pets"), "{stderr}");
    }
}

#[test]
fn a_report_that_cannot_be_written_ends_with_110_and_what_ran_is_printed() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-clip-unrelated]", "");
    let output = env.harness(&["run", "suite.yaml", "-o", "nowhere/report.json"]);
    assert_eq!(output.status.code(), Some(110));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere/report.json"));
    assert_eq!(
        output.stdout, b"",
        "nothing runs for a report that has no place"
    );

    // A link to a device that is full hides that until the report is written.
    std::os::unix::fs::symlink("/dev/full", env.path("report.json")).unwrap();
    let output = env.harness(&["run", "suite.yaml", "-o", "report.json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(110), "{stderr}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Summary ok=1 "));
}

/// Every shard of features with the time of its writing.
fn shards(env: &TestEnv) -> Vec<(PathBuf, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(env.path(".harness/features")).unwrap() {
        for shard in std::fs::read_dir(entry.unwrap().path()).unwrap() {
            let path = shard.unwrap().path();
            let written = std::fs::metadata(&path).unwrap().modified().unwrap();
            found.push((path, written));
        }
    }
    found.sort();
    found
}

#[test]
fn features_are_made_again_shard_by_shard_and_damage_is_told() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    let (whole, _) = env.run(&[], 0);
    let before = shards(&env);
    let later: Vec<_> = before
        .iter()
        .filter(|(path, _)| !path.ends_with("00000000.safetensors"))
        .collect();
    assert!(later.len() >= 2, "a test split of several shards");
    let (lost, flipped) = (&later[0].0, &later[1].0);
    std::fs::remove_file(lost).unwrap();
    let mut bytes = std::fs::read(flipped).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(flipped, bytes).unwrap();
    let (again, output) = env.run(&["--fresh"], 0);
    assert_eq!(numbers(&again), numbers(&whole));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let warnings = stderr.matches("features will be computed again").count();
    assert_eq!(warnings, 1, "{stderr}");
    let after = shards(&env);
    assert_eq!(after.len(), before.len());
    for (old, new) in before.iter().zip(&after) {
        let is_same = old.0 != *lost && old.0 != *flipped;
        assert_eq!(old == new, is_same, "{}", old.0.display());
    }
}

#[test]
fn views_and_half_precision_are_recorded_and_reproducible() {
    let env = TestEnv::new();
    let base = |rest: &str| {
        env.suite("[coop]", "[micro-eva-clip]", rest);
        let (report, _) = env.run(&[], 0);
        (numbers(&report), report.images.unwrap())
    };
    let (plain, images) = base("");
    assert_eq!((images.augment.as_str(), images.views), ("none", 1));
    let options = "images: {augment: random-resized-crop, scale: [0.5, 1], views: 2}\n";
    let (augmented, images) = base(options);
    assert_eq!(images.scale, Some([0.5, 1.0]));
    let only = |name: &str, numbers: &[(String, String, u64, String)]| {
        let found = numbers.iter().filter(|number| number.1 == name);
        found.cloned().collect::<Vec<_>>()
    };
    assert_eq!(only("zero_target", &plain), only("zero_target", &augmented));
    assert_ne!(only("base", &plain), only("base", &augmented));
    let (half, images) = base("images: {precision: f16}\n");
    assert_eq!(images.precision, "f16");
    assert_ne!(only("zero_target", &plain), only("zero_target", &half));
    std::fs::remove_dir_all(env.path(".harness")).unwrap();
    assert_eq!(base(options).0, augmented);
    env.suite(
        "[coop]",
        "[micro-eva-clip]",
        "images: {augment: none, views: 2}\n",
    );
    let output = env.harness(&["run", "suite.yaml"]);
    assert_eq!(output.status.code(), Some(96));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("views without augmentation"), "{stderr}");
}

#[test]
fn the_document_of_the_methods_is_what_their_plugins_say() {
    let output = TestEnv::new().harness(&["list", "methods", "--markdown"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/methods.md");
    assert!(
        String::from_utf8_lossy(&output.stdout) == std::fs::read_to_string(path).unwrap(),
        "write it anew: cargo run -- list methods --markdown > harness/docs/methods.md"
    );
}

#[test]
fn a_card_says_where_a_method_deviates() {
    let env = TestEnv::new();
    let output = env.harness(&["plugin", "inspect", "tip-adapter-f", "--dims", "micro-clip"]);
    let card = String::from_utf8_lossy(&output.stdout);
    for line in [
        "depth       logits",
        "parameters  micro-clip 2,048,000*",
        "the reference selects the best epoch on the test set",
    ] {
        assert!(card.contains(line), "{line}: {card}");
    }
    let output = env.harness(&["plugin", "inspect", "tip"]);
    assert_eq!(output.status.code(), Some(96));
}
