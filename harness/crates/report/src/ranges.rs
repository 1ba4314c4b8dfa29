//! Numbers that a report cannot hold.

use crate::cell::{Cell, Changes};
use crate::lint::{Finding, coordinates};
use crate::report::Report;
use crate::shell;

/// Rounding of sums of fractions.
const ROUNDING: f64 = 1e-6;

impl Report {
    /// Fractions outside [0, 1], negative times, more classes than names, and command lines that
    /// are none: whatever wrote them, it was no run.
    pub(crate) fn out_of_range(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut find = |location: String, problem: String| {
            findings.push(Finding { location, problem });
        };
        for drift in &self.text_drift {
            for (name, value) in [("cka", drift.cka), ("procrustes", drift.procrustes)] {
                if let Some(problem) = fraction(name, value) {
                    find(format!("text drift of {:?}", drift.dataset), problem);
                }
            }
        }
        for dataset in &self.datasets {
            let names = dataset.class_names.len() as u64;
            if dataset.classes != names {
                let problem = format!("{} classes, but {names} names", dataset.classes);
                find(format!("data set {:?}", dataset.name), problem);
            }
        }
        if let Some(problem) = time("wall_seconds", self.provenance.wall_seconds) {
            find("provenance".to_owned(), problem);
        }
        for cell in &self.cells {
            for problem in problems(cell) {
                find(coordinates(cell), problem);
            }
        }
        findings
    }
}

fn problems(cell: &Cell) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, condition) in cell.conditions.measured() {
        let error = condition.calibration_error.unwrap_or_default();
        problems.extend(fraction(&format!("{name} calibration_error"), error));
        problems.extend(time(&format!("{name} seconds"), condition.seconds));
    }
    if let Some(changes) = &cell.changes {
        let Changes {
            churn,
            wrong_churn,
            negative_weight,
            positive_weight,
        } = *changes;
        for (name, value) in [
            ("churn", churn),
            ("wrong_churn", wrong_churn),
            ("negative_weight", negative_weight),
            ("positive_weight", positive_weight),
        ] {
            problems.extend(fraction(name, value));
        }
        if wrong_churn > churn + ROUNDING {
            problems.push(format!("wrong_churn is {wrong_churn}, but churn {churn}"));
        }
    }
    let trainings = cell.training.iter().map(|training| training.seconds);
    let retrainings = cell.retraining.iter().map(|training| training.seconds);
    for seconds in trainings.chain(retrainings) {
        problems.extend(time("training seconds", seconds));
    }
    if let Some(usage) = &cell.usage {
        problems.extend(time("wall_seconds", usage.wall_seconds));
        problems.extend(time("cpu_seconds", usage.cpu_seconds));
    }
    if !cell.rerun.is_empty() && !shell::is_command_of(&cell.rerun, "harness") {
        problems.push(format!(
            "rerun is {:?}, expected one command line of `harness`",
            cell.rerun.chars().take(80).collect::<String>()
        ));
    }
    problems
}

fn fraction(name: &str, value: f64) -> Option<String> {
    let is_one = (-ROUNDING..=1.0 + ROUNDING).contains(&value);
    (!is_one).then(|| format!("{name} is {value}, expected a fraction in [0, 1]"))
}

fn time(name: &str, seconds: f64) -> Option<String> {
    (seconds < 0.0).then(|| format!("{name} is {seconds}, expected no less than 0"))
}

#[cfg(test)]
mod tests {
    use crate::cell::Changes;
    use crate::fixture;
    use crate::report::{Report, TextDrift};

    fn sample() -> Report {
        fixture::report(&["coop"], &["shapes"], &[1], |_, _, _| {
            Ok(([500, 620, 550, 600], Some(650)))
        })
    }

    fn problem(edit: impl FnOnce(&mut Report)) -> String {
        let mut report = sample();
        edit(&mut report);
        let found = report.lint();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].problem.clone()
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        assert_eq!(sample().lint(), []);
        let changes = Changes {
            churn: 0.5,
            wrong_churn: 0.2,
            negative_weight: 0.0,
            positive_weight: 0.0,
        };
        let churn = |churn: f64| {
            problem(|report| report.cells[0].changes = Some(Changes { churn, ..changes }))
        };
        assert_eq!(churn(5.0), "churn is 5, expected a fraction in [0, 1]");
        assert_eq!(churn(0.1), "wrong_churn is 0.2, but churn 0.1");
        let cka = problem(|report| {
            report.text_drift = vec![TextDrift {
                upgrade: report.upgrades[0].clone(),
                dataset: "shapes".to_owned(),
                cka: -7.0,
                procrustes: 0.0,
            }];
        });
        assert_eq!(cka, "cka is -7, expected a fraction in [0, 1]");
        let classes = problem(|report| report.datasets[0].classes = 1_000_000_000);
        assert_eq!(classes, "1000000000 classes, but 2 names");
        let seconds = problem(|report| report.provenance.wall_seconds = -1.0);
        assert!(seconds.contains("expected no less than 0"));
    }

    #[test]
    fn a_command_that_somebody_might_paste_is_one_of_harness() {
        for line in [
            "rm -rf ~",
            "harness run s.yaml; rm -rf ~",
            "harness run $(rm x)",
            "harness run `rm x`",
            "harness run s.yaml\nrm x",
            "harness run 's.yaml",
            "harness run a & b",
        ] {
            let found = problem(|report| report.cells[0].rerun = line.to_owned());
            assert!(found.contains("expected one command line"), "{found}");
        }
        for line in [
            "",
            "harness run suites/a.yaml --only method=coop,seed=1 --fresh",
            r"harness run 'it'\''s a.yaml' --only 'dataset=a b'",
            r"harness run $'a\033\'b.yaml'",
        ] {
            let mut report = sample();
            report.cells[0].rerun = line.to_owned();
            assert_eq!(report.lint(), [], "{line}");
        }
    }
}
