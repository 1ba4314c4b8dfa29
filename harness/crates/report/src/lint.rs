//! What in a report contradicts itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::cell::{Cell, Status};
use crate::condition::Condition;
use crate::report::{Dataset, Report};

/// How far a stored accuracy may be from `correct / total`: one rounding in text.
const ROUNDING: f64 = 1e-9;

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where in the report.
    pub location: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

impl Report {
    /// Every contradiction in the report; empty for a sound one.
    ///
    /// Accuracies agree with counts and bitmaps, totals with the data set, every
    /// name resolves and is unique, no cell comes twice, a finished cell has Base and New,
    /// a module came through injection unchanged, and the zero-shot of a backbone on a data
    /// set is the same in every cell. Fractions, times and counts are what they can be.
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = self.not_finite();
        self.lint_names(&mut findings);
        self.lint_labels(&mut findings);
        let datasets: BTreeMap<&str, &Dataset> =
            self.datasets.iter().map(|d| (d.name.as_str(), d)).collect();
        for cell in &self.cells {
            let dataset = datasets.get(cell.dataset.as_str()).copied();
            lint_cell(cell, dataset, &mut findings);
        }
        self.lint_zero_shot(&mut findings);
        findings.extend(self.out_of_range());
        findings
    }

    /// Numbers that JSON cannot hold.
    pub(crate) fn not_finite(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut check = |location: &dyn Fn() -> String, what: &str, value: f64| {
            if !value.is_finite() {
                let problem = format!("{what} is {value}, expected a finite number");
                findings.push(Finding {
                    location: location(),
                    problem,
                });
            }
        };
        let run = || "provenance".to_owned();
        check(&run, "wall_seconds", self.provenance.wall_seconds);
        for drift in &self.text_drift {
            let here = || format!("text drift of {:?}", drift.dataset);
            check(&here, "cka", drift.cka);
            check(&here, "procrustes", drift.procrustes);
        }
        if let Some(gate) = &self.suite.gate {
            check(&|| "suite".to_owned(), "margin", gate.margin);
            check(&|| "suite".to_owned(), "alpha", gate.alpha);
        }
        for cell in &self.cells {
            let here = || coordinates(cell);
            for (name, condition) in cell.conditions.measured() {
                check(&here, &format!("{name} accuracy"), condition.accuracy);
                check(&here, &format!("{name} seconds"), condition.seconds);
                let error = condition.calibration_error.unwrap_or_default();
                check(&here, &format!("{name} calibration_error"), error);
            }
            if let Some(training) = &cell.training {
                check(&here, "training seconds", training.seconds);
                check(&here, "final_loss", training.final_loss.unwrap_or_default());
                for loss in &training.losses {
                    check(&here, "losses", f64::from(*loss));
                }
            }
            if let Some(retraining) = &cell.retraining {
                check(&here, "retraining seconds", retraining.seconds);
            }
            if let Some(changes) = &cell.changes {
                check(&here, "churn", changes.churn);
                check(&here, "wrong_churn", changes.wrong_churn);
                check(&here, "negative_weight", changes.negative_weight);
                check(&here, "positive_weight", changes.positive_weight);
            }
            if let Some(usage) = &cell.usage {
                check(&here, "wall_seconds", usage.wall_seconds);
                check(&here, "cpu_seconds", usage.cpu_seconds);
                check(&here, "peak_mib", usage.peak_mib);
            }
            if let Status::TimedOut { seconds, .. } = cell.status {
                check(&here, "time limit", seconds);
            }
        }
        findings
    }

    fn lint_names(&self, findings: &mut Vec<Finding>) {
        let mut find = |location: &str, problem: String| {
            findings.push(Finding {
                location: location.into(),
                problem,
            });
        };
        let mut unique = |location: &str, names: &mut dyn Iterator<Item = &String>| {
            let mut seen = BTreeSet::new();
            for name in names {
                if !seen.insert(name.clone()) {
                    find(
                        location,
                        format!("{name:?} is listed twice, expected unique names"),
                    );
                }
            }
            seen
        };
        let methods = unique("methods", &mut self.methods.iter().map(|m| &m.label));
        let datasets = unique("datasets", &mut self.datasets.iter().map(|d| &d.name));
        let backbones = unique("backbones", &mut self.backbones.iter().map(|b| &b.name));
        for upgrade in &self.upgrades {
            for name in [&upgrade.source, &upgrade.target] {
                if !backbones.contains(name) {
                    find("upgrades", format!("{name:?} is not among the backbones"));
                }
            }
        }
        let mut keys = BTreeSet::new();
        for cell in &self.cells {
            if !methods.contains(&cell.method) {
                find(
                    &coordinates(cell),
                    "its method is not among the methods".into(),
                );
            }
            if !datasets.contains(&cell.dataset) {
                find(
                    &coordinates(cell),
                    "its data set is not among the datasets".into(),
                );
            }
            if !self.upgrades.contains(&cell.upgrade) {
                find(
                    &coordinates(cell),
                    "its upgrade is not among the upgrades".into(),
                );
            }
            if !keys.insert((
                &cell.method,
                &cell.dataset,
                cell.shots,
                cell.seed,
                &cell.upgrade,
            )) {
                find(&coordinates(cell), "is listed twice, expected once".into());
            }
        }
    }

    fn lint_labels(&self, findings: &mut Vec<Finding>) {
        for dataset in &self.datasets {
            let Some(labels) = &dataset.test_labels else {
                continue;
            };
            let labels = labels.as_slice();
            let mut find = |problem| {
                findings.push(Finding {
                    location: format!("data set {:?}", dataset.name),
                    problem,
                });
            };
            if labels.len() as u64 != dataset.test {
                find(format!(
                    "{} labels for {} test images",
                    labels.len(),
                    dataset.test
                ));
            }
            if let Some(class) = labels
                .iter()
                .find(|class| u64::from(**class) >= dataset.classes)
            {
                find(format!("label {class} of {} classes", dataset.classes));
            }
        }
    }

    fn lint_zero_shot(&self, findings: &mut Vec<Finding>) {
        let mut first: BTreeMap<(&str, &str), &Condition> = BTreeMap::new();
        for cell in &self.cells {
            for (backbone, zero) in [
                (&cell.upgrade.source, &cell.conditions.zero_source),
                (&cell.upgrade.target, &cell.conditions.zero_target),
            ] {
                let Some(zero) = zero else { continue };
                let known = first.entry((&cell.dataset, backbone)).or_insert(zero);
                if known.correct_bitmap != zero.correct_bitmap {
                    findings.push(Finding {
                        location: coordinates(cell),
                        problem: format!(
                            "zero-shot of {backbone:?} has {} correct, another cell has {} or \
                             other images: expected the same everywhere",
                            zero.correct, known.correct
                        ),
                    });
                }
            }
        }
    }
}

fn lint_cell(cell: &Cell, dataset: Option<&Dataset>, findings: &mut Vec<Finding>) {
    let mut find = |problem: String| {
        findings.push(Finding {
            location: coordinates(cell),
            problem,
        })
    };
    for (name, condition) in cell.conditions.measured() {
        for problem in condition_problems(condition) {
            find(format!("{name}: {problem}"));
        }
        match dataset {
            Some(dataset) if dataset.test != condition.total => find(format!(
                "{name}: over {} images, the data set has {} test images",
                condition.total, dataset.test
            )),
            _ => {}
        }
    }
    if cell.status != Status::Ok {
        return;
    }
    let conditions = &cell.conditions;
    for (name, missing) in [
        ("zero_source", conditions.zero_source.is_none()),
        ("base", conditions.base.is_none()),
        ("zero_target", conditions.zero_target.is_none()),
        ("new", conditions.new.is_none()),
    ] {
        if missing {
            find(format!("ok, but {name} is missing"));
        }
    }
    if let Some(training) = &cell.training {
        match &training.parameters_sha256_after {
            Some(after) if *after != training.parameters_sha256_before => find(format!(
                "the module changed while it was injected: {:?} before, {after:?} after",
                training.parameters_sha256_before
            )),
            _ => {}
        }
    }
}

fn condition_problems(condition: &Condition) -> Vec<String> {
    let Condition {
        accuracy,
        correct,
        total,
        correct_bitmap,
        ..
    } = condition;
    if *total == 0 {
        return vec!["total is 0, expected at least one test image".into()];
    }
    let mut problems = Vec::new();
    let expected = *correct as f64 / *total as f64;
    if (accuracy - expected).abs() > ROUNDING {
        problems.push(format!(
            "accuracy is {accuracy}, but {correct} of {total} correct is {expected}"
        ));
    }
    if !correct_bitmap.fits(*total) {
        problems.push(format!(
            "a bitmap of {} bytes, {total} images take {}, unused bits zero",
            correct_bitmap.len_bytes(),
            total.div_ceil(8)
        ));
    } else if correct_bitmap.count() != *correct {
        problems.push(format!(
            "{correct} correct, but {} in the bitmap",
            correct_bitmap.count()
        ));
    }
    problems
}

pub(crate) fn coordinates(cell: &Cell) -> String {
    format!(
        "cell {:?} × {:?} × {} shots × seed {} × {:?} → {:?}",
        cell.method, cell.dataset, cell.shots, cell.seed, cell.upgrade.source, cell.upgrade.target
    )
}
