//! Reports for the tests of this crate.

use serde_json::json;

use harness_report::Condition;
use harness_report::{Backbone, Dataset, GateRule, Method, Plugin, Report, Suite, Upgrade};
use harness_report::{Cell, Conditions, Status, Training, Usage};
use harness_report::{Cpu, Git, Provenance, Seeds};

/// Test images of every data set.
pub(crate) const IMAGES: u32 = 1000;

/// A condition with the first `correct` images correct, so that differences are clear.
pub(crate) fn scored(correct: u32) -> Option<Condition> {
    let predictions: Vec<u32> = (0..IMAGES).map(|i| u32::from(i < correct)).collect();
    let labels = vec![1; IMAGES as usize];
    Condition::from_predictions(&predictions, &labels, "00ff", 0.25).ok()
}

/// Correct images of Z(s), Base, Z(t), New and, if measured, A(t→t).
pub(crate) type Counts = ([u32; 4], Option<u32>);

/// Upgrade `old → new` over `methods` and `datasets` for each seed; `outcome` says what
/// came of each `(method, dataset, seed)`.
pub(crate) fn report(
    methods: &[&str],
    datasets: &[&str],
    seeds: &[u64],
    outcome: impl Fn(usize, usize, u64) -> Result<Counts, Status>,
) -> Report {
    let seeds: Vec<Seeds> = seeds.iter().copied().map(Seeds::from).collect();
    crossed(methods, datasets, &seeds, |m, d, seeds| {
        outcome(m, d, seeds.split)
    })
}

/// The same with seeds that may tell split and training apart.
pub(crate) fn crossed(
    methods: &[&str],
    datasets: &[&str],
    seeds: &[Seeds],
    outcome: impl Fn(usize, usize, Seeds) -> Result<Counts, Status>,
) -> Report {
    let upgrade = Upgrade {
        source: "micro-clip".into(),
        target: "micro-eva-clip".into(),
    };
    let mut cells = Vec::new();
    for (m, method) in methods.iter().enumerate() {
        for (d, dataset) in datasets.iter().enumerate() {
            for seed in seeds {
                let key = (*method, *dataset, *seed);
                cells.push(cell(key, &upgrade, outcome(m, d, *seed)));
            }
        }
    }
    Report {
        schema: Report::FORMAT.into(),
        digest: None,
        suite: Suite {
            name: "quickstart".into(),
            path: "suites/quickstart.yaml".into(),
            sha256: "aa".into(),
            gate: None,
        },
        provenance: provenance(),
        backbones: [&upgrade.source, &upgrade.target]
            .map(|name| Backbone {
                name: name.clone(),
                sha256: "bb".into(),
                dims: json!({"text_width": 128}),
                layout: "open_clip".into(),
            })
            .into(),
        plugins: vec![Plugin {
            file: "libcoop.so".into(),
            sha256: "cc".into(),
            version: "0.1.0".into(),
            sdk: "0.1.0".into(),
            rustc: "1.95.0".into(),
            licence: "MIT".into(),
        }],
        images: None,
        methods: methods.iter().map(|label| method(label)).collect(),
        datasets: datasets.iter().map(|name| dataset(name)).collect(),
        upgrades: vec![upgrade],
        chains: Vec::new(),
        text_drift: Vec::new(),
        input_notes: Vec::new(),
        cells,
    }
}

fn provenance() -> Provenance {
    Provenance {
        harness: "0.1.0".into(),
        abi: "1.0".into(),
        rustc: "1.95.0".into(),
        os: "linux".into(),
        arch: "x86_64".into(),
        device: None,
        cpu: Cpu {
            model: "a processor".into(),
            cores: 2,
        },
        threads_per_worker: 1,
        jobs: 2,
        git: Some(Git {
            revision: "d524cb5".into(),
            dirty: false,
        }),
        started: "2026-01-02T03:04:05Z".into(),
        wall_seconds: 61.25,
        rerun: ["harness", "run", "suites/quickstart.yaml"]
            .map(String::from)
            .into(),
        tasks: Vec::new(),
    }
}

fn method(label: &str) -> Method {
    Method {
        label: label.into(),
        id: "coop".into(),
        plugin: "libcoop.so".into(),
        config: json!({"context": 4}),
        recipe: None,
        module_sha256: None,
        module_sources: Vec::new(),
        family: "prompt".into(),
        depth: "input".into(),
        parameters: Some(512),
    }
}

fn dataset(name: &str) -> Dataset {
    Dataset {
        name: name.into(),
        title: format!("The {name} pictures"),
        manifest_sha256: "dd".into(),
        classes: 2,
        train: 32,
        val: 8,
        test: u64::from(IMAGES),
        class_names: vec!["circle".into(), "square".into()],
        test_labels: None,
        shift_of: None,
        missing: 0,
    }
}

fn cell(
    (method, dataset, seed): (&str, &str, Seeds),
    upgrade: &Upgrade,
    outcome: Result<Counts, Status>,
) -> Cell {
    let (status, conditions) = match outcome {
        Ok(([zero_source, base, zero_target, new], oracle)) => (
            Status::Ok,
            Conditions {
                zero_source: scored(zero_source),
                base: scored(base),
                zero_target: scored(zero_target),
                new: scored(new),
                oracle: oracle.and_then(scored),
            },
        ),
        Err(status) => (status, Conditions::default()),
    };
    let training = (status == Status::Ok).then(|| Training {
        steps: 50,
        seconds: 1.5,
        parameters: 512,
        module_bytes: 2304,
        module_sha256: "ee".into(),
        parameters_sha256_before: "ff".into(),
        parameters_sha256_after: Some("ff".into()),
        final_loss: Some(0.75),
        losses: vec![],
        text: None,
        recipe: json!({"optimiser": "sgd"}),
        picks_sha256: "ab".into(),
        sampler: None,
    });
    Cell {
        method: method.into(),
        dataset: dataset.into(),
        shots: 16,
        seed,
        upgrade: upgrade.clone(),
        status,
        conditions,
        training,
        retraining: None,
        left_out: vec![],
        changes: None,
        usage: Some(Usage {
            wall_seconds: 2.0,
            cpu_seconds: 1.75,
            peak_mib: 96.5,
        }),
        rerun: format!("harness run s.yaml --only {method}/{dataset}/{seed}"),
    }
}

/// Three methods on two data sets of 1000 images for a gate: New by method on the first, and
/// every seed alike.
pub(crate) fn gated(new: [u32; 3], seeds: &[u64]) -> Report {
    let mut report = report(&["a", "b", "c"], &["x", "y"], seeds, |m, d, _| {
        let new = if d == 0 { new[m] } else { 500 };
        Ok(([400, 600, 450, new], None))
    });
    for cell in &mut report.cells {
        cell.rerun = format!(
            "harness run suites/s.yaml --only method={} --only seed={} --fresh",
            cell.method, cell.seed
        );
    }
    report
}

/// A gate's rule with this margin, in points.
pub(crate) fn rule(margin: f64) -> GateRule {
    GateRule {
        margin,
        alpha: 0.05,
    }
}
