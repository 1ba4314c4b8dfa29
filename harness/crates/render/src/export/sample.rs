//! Reports for the tests of the exporters.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fixture;
use harness_report::Chain;
use harness_report::Condition;
use harness_report::Labels;
use harness_report::Report;
use harness_report::Status;

/// Names that mean something to a spreadsheet, a terminal or a markup.
pub(crate) const HOSTILE: [&str; 13] = [
    "=cmd|' /C calc'!A0",
    "+1-1",
    "@everyone #1 https://example.org www.example.org",
    "a|b `c` *d* _e_ [f](g)",
    "<script>window.hostile=1</script>",
    "</script><img src=x onerror=window.hostile=1>",
    "\" onmouseover=\"window.hostile=1",
    "{{ 7*7 }}{% raw %}",
    "]]>&amp;<![CDATA[",
    "\u{1b}[31mred\u{1b}[0m\u{7}\u{0}\u{fffe}\nnext",
    "\\input{/etc/passwd} $x^2_1$ 50 % ~{}",
    "\u{2028}\u{202e}turned",
    "日本語 é ß ð 😀",
];

/// Every hostile name as a method, data set, class, backbone, suite, message and command.
pub(crate) fn hostile() -> Report {
    let seeds = [1, 2];
    let mut report = fixture::report(&HOSTILE, &HOSTILE, &seeds, |m, d, seed| {
        let message = HOSTILE[(m + d) % HOSTILE.len()].to_owned();
        match (d, seed) {
            (1, _) => Err(Status::NotInjectable { reason: message }),
            (2, 2) => Err(Status::Crashed {
                message,
                log: HOSTILE.join("\n"),
            }),
            (3, _) => Err(Status::NotRun),
            _ => Ok(([400, 500 + m as u32, 450, 440 + 5 * d as u32], Some(600))),
        }
    });
    for (at, dataset) in report.datasets.iter_mut().enumerate() {
        dataset.class_names = HOSTILE.map(String::from).into();
        dataset.classes = HOSTILE.len() as u64;
        dataset.title = HOSTILE[at].to_owned();
        let classes = (0..fixture::IMAGES).map(|image| image % HOSTILE.len() as u32);
        dataset.test_labels = Some(Labels::from(classes.collect::<Vec<u32>>()));
    }
    let upgrade = &mut report.upgrades[0];
    upgrade.source = HOSTILE[4].to_owned();
    upgrade.target = HOSTILE[9].to_owned();
    let upgrade = upgrade.clone();
    report.chains = vec![Chain {
        backbones: [&upgrade.source, &upgrade.target, HOSTILE[2]]
            .map(str::to_owned)
            .into(),
    }];
    for (backbone, name) in report
        .backbones
        .iter_mut()
        .zip([&upgrade.source, &upgrade.target])
    {
        backbone.name = name.clone();
    }
    for cell in &mut report.cells {
        cell.upgrade = upgrade.clone();
        cell.rerun = HOSTILE.join(" ");
    }
    report.suite.name = HOSTILE.join(" ");
    report.suite.path = HOSTILE[4].to_owned();
    report.provenance.rerun = HOSTILE.map(String::from).into();
    report.provenance.cpu.model = HOSTILE[5].to_owned();
    report
}

/// A report whose answers are drawn: each method helps some data sets and classes and
/// hurts others. `datasets` are names with numbers of classes, `images` those of a class.
pub(crate) fn drawn(
    methods: &[&str],
    datasets: &[(&str, usize)],
    seeds: &[u64],
    images: usize,
) -> Report {
    let names: Vec<&str> = datasets.iter().map(|(name, _)| *name).collect();
    let mut report = fixture::report(methods, &names, seeds, |_, _, _| {
        Ok(([1, 2, 3, 4], Some(5)))
    });
    let mut zero_shots = Vec::new();
    for (at, (dataset, (_, classes))) in report.datasets.iter_mut().zip(datasets).enumerate() {
        let labels: Vec<u32> = (0..*classes as u32)
            .flat_map(|class| std::iter::repeat_n(class, images))
            .collect();
        dataset.classes = *classes as u64;
        dataset.test = labels.len() as u64;
        dataset.class_names = (0..*classes).map(|n| format!("class number {n}")).collect();
        dataset.test_labels = Some(Labels::from(labels.clone()));
        let ease = 0.3 + 0.05 * (at % 8) as f64;
        let mut random = ChaCha8Rng::seed_from_u64(at as u64);
        zero_shots.push((
            answers(&labels, &mut random, |_| ease),
            answers(&labels, &mut random, |_| ease + 0.12),
        ));
    }
    for cell in &mut report.cells {
        let m = methods
            .iter()
            .position(|method| *method == cell.method)
            .unwrap();
        let d = names.iter().position(|name| *name == cell.dataset).unwrap();
        let labels = report.datasets[d].test_labels.as_ref().unwrap().as_slice();
        let mut random =
            ChaCha8Rng::seed_from_u64(cell.seed.split + 100 * m as u64 + 10_000 * d as u64);
        let (source, target) = &zero_shots[d];
        let ease = 0.3 + 0.05 * (d % 8) as f64;
        let help = 0.04 * ((m * 5 + d * 3) % 9) as f64 - 0.12;
        let tilt = |class: u32| 0.1 * f64::from(class % 5) - 0.2;
        let conditions = &mut cell.conditions;
        conditions.zero_source = Some(source.clone());
        conditions.zero_target = Some(target.clone());
        conditions.base = Some(answers(labels, &mut random, |_| ease + 0.14));
        conditions.new = Some(answers(labels, &mut random, |c| {
            ease + 0.12 + help + tilt(c)
        }));
        conditions.oracle = Some(answers(labels, &mut random, |_| ease + 0.2));
    }
    report
}

/// Answers that are right with the probability that `ease` gives for the class.
fn answers(labels: &[u32], random: &mut ChaCha8Rng, ease: impl Fn(u32) -> f64) -> Condition {
    let predictions: Vec<u32> = labels
        .iter()
        .map(
            |label| match random.random_bool(ease(*label).clamp(0.0, 1.0)) {
                true => *label,
                false => label + 1,
            },
        )
        .collect();
    Condition::from_predictions(&predictions, labels, "00ff", 0.25).unwrap()
}
