//! The gate with real plugins: one that stays as it is, one that got worse, and what a CI
//! job does with them.

use std::path::Path;
use std::process::Output;

use harness_report::metrics::Flips;
use harness_report::{ExitCode, Report};

use crate::env::{TestEnv, library, root};

impl TestEnv {
    fn gate_suite(&self, rest: &str) {
        let fixture = library("harness_fixture_methods");
        let text = format!(
            "name: test\nupgrades: [{{source: micro-clip, targets: [micro-clip-unrelated]}}]\n\
             methods: [worsened]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n\
             recipe: {{epochs: 1}}\ngate: {{margin: 2}}\nplugins: [{fixture:?}]\n{rest}"
        );
        self.write("suite.yaml", text);
    }

    /// A line of shell, with `harness` on the path.
    fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = self.program("bash");
        let programs = Path::new(env!("CARGO_BIN_EXE_harness")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-e", "-o", "pipefail", "-c", script])
            .env("PATH", format!("{}:{path}", programs.display()))
            .envs(variables.iter().copied());
        command.output().unwrap()
    }

    /// stdout of a command that must end so.
    fn ends(&self, output: &Output, code: ExitCode) -> String {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let found = output.status.code();
        assert_eq!(found, Some(code.code().into()), "{stdout}\n{stderr}");
        stdout
    }
}

/// What stands behind a label of a failing cell's block.
fn told<'t>(text: &'t str, label: &str) -> &'t str {
    let mut lines = text.lines().map(str::trim_start);
    let found = lines.find_map(|line| line.strip_prefix(label));
    found
        .unwrap_or_else(|| panic!("no {label:?} in\n{text}"))
        .trim()
}

#[test]
fn a_worse_plugin_fails_the_gate_and_every_printed_command_works() {
    let env = TestEnv::new();
    env.gate_suite("");
    env.ends(
        &env.harness(&["run", "suite.yaml", "-o", "old.json"]),
        ExitCode::Ok,
    );
    let accept = ["baseline", "accept", "old.json", "--baseline", "base.json"];
    let text = env.ends(&env.harness(&accept), ExitCode::Ok);
    assert_eq!(
        text,
        "Summary accepted=1 unchanged=0 removed=0 baseline=base.json\n"
    );
    let gate = [
        "run",
        "suite.yaml",
        "--gate",
        "--baseline",
        "base.json",
        "-o",
        "new.json",
    ];
    let text = env.ends(&env.harness(&gate), ExitCode::Ok);
    assert!(
        text.contains("Summary regressed=0 unfit=0 inconclusive=0 passed=0 unchanged=1"),
        "{text}"
    );

    // The same plugin after a change that was a mistake.
    let worse = ("HARNESS_FIXTURE_WORSENED", "1");
    let summary = env.path("summary.md");
    let output = env.shell(
        "harness run suite.yaml --fresh --gate --baseline base.json -o new.json",
        &[
            worse,
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ],
    );
    let text = env.ends(&output, ExitCode::Regression);
    assert!(
        text.contains("--- regression new_accuracy_dropped: "),
        "{text}"
    );
    assert!(
        text.trim_end().ends_with("margin=2.00 alpha=0.05 exit=100"),
        "{text}"
    );
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("::error file=suite.yaml,title=harness gate regressed::worsened"),
        "{stderr}"
    );
    let markdown = std::fs::read_to_string(&summary).unwrap();
    assert!(
        markdown.starts_with("### harness gate: 1 of 1 cells regressed"),
        "{markdown}"
    );

    // The same from the file, without GitHub around it.
    let gate = ["gate", "new.json", "--baseline", "base.json"];
    let output = env.harness(&gate);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("::error"));
    let text = env.ends(&output, ExitCode::Regression);
    let margin = told(&text, "Would pass:").to_owned();
    let wider = format!("harness gate new.json --baseline base.json {margin}");
    env.ends(&env.shell(&wider, &[]), ExitCode::Ok);
    env.ends(
        &env.shell(told(&text, "To re-run:"), &[worse]),
        ExitCode::Regression,
    );
    env.ends(&env.shell(told(&text, "To accept:"), &[]), ExitCode::Ok);
    env.ends(
        &env.harness(&["baseline", "pin", "base.json"]),
        ExitCode::Ok,
    );
    env.ends(&env.harness(&gate), ExitCode::Ok);
}

#[test]
fn every_prediction_is_written_on_request_and_counts_to_the_report() {
    let env = TestEnv::new();
    env.gate_suite("oracle: true\n");
    let run = [
        "run",
        "suite.yaml",
        "-o",
        "report.json",
        "--log-samples",
        "all.jsonl",
        "--samples",
        "pages",
    ];
    env.ends(&env.harness(&run), ExitCode::Ok);
    let report = Report::read(env.path("report.json")).unwrap();
    let cell = &report.cells[0];
    let text = std::fs::read_to_string(env.path("all.jsonl")).unwrap();
    let samples = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let samples: Vec<serde_json::Value> = samples.collect();
    assert_eq!(samples.len() as u64, report.datasets[0].test);
    let labels = report.datasets[0].test_labels.as_ref().unwrap().as_slice();
    let (mut changed, mut conditions) = (0, 0);
    for (name, condition) in cell.conditions.measured() {
        let mut correct = 0;
        for (image, (sample, label)) in samples.iter().zip(labels).enumerate() {
            let found = &sample["conditions"][name];
            assert_eq!(
                (sample["image"].as_u64(), &sample["label"]),
                (Some(image as u64), &(*label).into())
            );
            assert_eq!(sample["path"], format!("test[{image}]"));
            correct += u64::from(found["prediction"] == sample["label"]);
            let confidence = found["confidence"].as_f64().unwrap();
            assert!(found["of_truth"].as_f64().unwrap() <= confidence && confidence <= 1.0);
            if name == "new" {
                let base = &sample["conditions"]["base"]["prediction"];
                changed += u64::from(*base != found["prediction"]);
            }
        }
        assert_eq!(correct, condition.correct, "{name}");
        assert!((0.0..=1.0).contains(&condition.calibration_error.unwrap()));
        conditions += 1;
    }
    assert_eq!(conditions, 5);
    let churn = cell.changes.unwrap().churn * labels.len() as f64;
    assert!(
        (churn - changed as f64).abs() < 1e-6,
        "{churn}, {changed} images"
    );
    assert!(cell.retraining.unwrap().steps > 0);
    let flips = Flips::of(&cell.conditions).unwrap();
    let page = std::fs::read_to_string(env.path("pages/cell-0001.html")).unwrap();
    let counted = format!("{} of them because of the module", flips.adapter_caused);
    assert!(page.contains(&counted), "{counted}");
    assert!(page.contains("src=\"data:image&#x2f;png;base64,"));
    let index = std::fs::read_to_string(env.path("pages/index.html")).unwrap();
    assert!(index.contains("<a href=\"cell-0001.html\">"), "{index}");
    let drift = &report.text_drift[0];
    assert!((0.0..1.0).contains(&drift.cka) && (0.0..1.0).contains(&drift.procrustes));
    let nowhere = ["run", "suite.yaml", "--log-samples", "no/all.jsonl"];
    env.ends(&env.harness(&nowhere), ExitCode::OutputNotWritten);
}

#[test]
fn what_cannot_be_compared_is_refused_by_name() {
    let env = TestEnv::new();
    let folder = root().join("harness/fixtures/reports/first-schema.json");
    let old = Report::read(folder).unwrap();
    old.write(env.path("old.json")).unwrap();
    let mut other = old.clone();
    other.datasets[0].manifest_sha256 = "0".into();
    other.write(env.path("other.json")).unwrap();
    let refused = |arguments: &[&str], code| {
        let output = env.harness(arguments);
        env.ends(&output, code);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = refused(
        &["gate", "old.json", "--baseline", "none.json"],
        ExitCode::Incomparable,
    );
    assert!(text.contains("none.json: cannot be read"), "{text}");
    assert!(text.contains("hint: `harness baseline accept"), "{text}");
    let text = refused(
        &["gate", "none.json", "--baseline", "old.json"],
        ExitCode::SetUp,
    );
    assert!(text.contains("none.json"), "{text}");
    for arguments in [
        &["gate", "other.json", "--baseline", "old.json"][..],
        &["diff", "old.json", "other.json"],
    ] {
        let text = refused(arguments, ExitCode::Incomparable);
        assert!(
            text.contains("old.json: not comparable with this report"),
            "{text}"
        );
        assert!(
            text.contains("data set \"digits\": different images"),
            "{text}"
        );
        let allowed = [arguments, &["--allow-mismatch"]].concat();
        let text = env.ends(&env.harness(&allowed), ExitCode::Ok);
        assert!(
            text.contains("warning: the inputs of the two reports differ"),
            "{text}"
        );
    }
    let text = env.ends(
        &env.harness(&["diff", "old.json", "old.json"]),
        ExitCode::Ok,
    );
    assert!(
        text.starts_with(
            "no differences: New is right and wrong on the same images in all 2 cells"
        ),
        "{text}"
    );
    for (option, value) in [("--margin", "0"), ("--margin", "x"), ("--alpha", "0.6")] {
        let arguments = ["gate", "old.json", "--baseline", "old.json", option, value];
        env.ends(&env.harness(&arguments), ExitCode::Usage);
    }
    env.gate_suite("");
    let text = refused(&["run", "suite.yaml", "--margin", "1"], ExitCode::Usage);
    assert!(text.contains("belong to --gate"), "{text}");
    // Before anything is run.
    refused(&["run", "suite.yaml", "--gate"], ExitCode::Incomparable);
    assert!(!env.path(".harness").exists());
}

/// The lines of a workflow file that call `harness`.
fn steps(workflow: &str) -> Vec<String> {
    let lines = workflow.lines().map(str::trim);
    let commands = lines.map(|line| line.strip_prefix("run: ").unwrap_or(line));
    let commands = commands.map(|line| line.strip_prefix("- ").unwrap_or(line));
    let ours = commands.filter(|line| line.starts_with("harness "));
    ours.map(str::to_owned).collect()
}

/// Every command and flag of the workflow files exists and does what it says.
#[test]
fn the_steps_of_the_workflow_files_do_what_they_say() {
    let env = TestEnv::new();
    env.gate_suite("");
    env.ends(
        &env.harness(&["run", "suite.yaml", "-o", "base.json"]),
        ExitCode::Ok,
    );
    for name in ["github.yml", "gitlab.yml"] {
        let path = root().join("harness/docs/ci").join(name);
        let workflow = std::fs::read_to_string(path).unwrap();
        let steps = steps(&workflow);
        assert_eq!(steps.len(), 2, "{name}: {steps:?}");
        assert!(steps[1].contains(" --strict "), "{name}");
        for step in steps {
            let variables = [("SUITE", "suite.yaml"), ("BASELINE", "base.json")];
            env.ends(&env.shell(&step, &variables), ExitCode::Ok);
        }
        for file in ["report.json", "report.html", "report.xml"] {
            assert!(workflow.contains(file));
            std::fs::remove_file(env.path(file)).unwrap();
        }
        // Actions and images by version, never by a name that moves.
        for line in workflow.lines() {
            if let Some((_, action)) = line.split_once("uses: ") {
                assert!(
                    action.split_once("@v").unwrap().1.matches('.').count() == 2,
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn an_output_that_cannot_be_written_stops_a_run_before_it_starts() {
    let env = TestEnv::new();
    env.gate_suite("");
    let output = env.harness(&["run", "suite.yaml", "-o", "no/report.json"]);
    env.ends(&output, ExitCode::OutputNotWritten);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("no/report.json: cannot be written"), "{text}");
    assert!(text.contains("nothing was run"), "{text}");
    assert!(!env.path(".harness").exists());
}

#[test]
fn a_loss_that_was_accepted_still_fails_against_the_pinned_reference() {
    let env = TestEnv::new();
    env.gate_suite("");
    let first = ["run", "suite.yaml", "-o", "old.json"];
    env.ends(&env.harness(&first), ExitCode::Ok);
    let accept_old = ["baseline", "accept", "old.json", "--baseline", "base.json"];
    env.ends(&env.harness(&accept_old), ExitCode::Ok);
    assert!(!env.path("base.pinned.json").exists());
    let worse = ("HARNESS_FIXTURE_WORSENED", "1");
    let output = env.shell("harness run suite.yaml --fresh -o new.json", &[worse]);
    env.ends(&output, ExitCode::Ok);
    let accept_new = ["baseline", "accept", "new.json", "--baseline", "base.json"];
    env.ends(&env.harness(&accept_new), ExitCode::Ok);
    assert!(env.path("base.pinned.json").exists());
    let gate = ["gate", "new.json", "--baseline", "base.json"];
    let text = env.ends(&env.harness(&gate), ExitCode::Regression);
    assert!(
        text.contains("against the pinned reference base.pinned.json"),
        "{text}"
    );
    env.ends(
        &env.harness(&["baseline", "pin", "base.json"]),
        ExitCode::Ok,
    );
    env.ends(&env.harness(&gate), ExitCode::Ok);
}

#[test]
fn the_documented_exit_codes_are_the_real_ones() {
    let text = std::fs::read_to_string(root().join("harness/docs/gating.md")).unwrap();
    for code in ExitCode::ALL {
        let row = format!("| {} | {} |", code.code(), code.meaning());
        assert!(text.contains(&row), "no row {row}");
    }
    let env = TestEnv::new();
    let help = env.ends(&env.harness(&["--help"]), ExitCode::Ok);
    for code in ExitCode::ALL {
        assert!(
            help.contains(&format!("{}  {}", code.code(), code.meaning())),
            "{help}"
        );
    }
}
