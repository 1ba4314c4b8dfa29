//! Numbers in a report that are possible but suspicious.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::lint::{Finding, coordinates};
use crate::report::Report;

impl Report {
    /// Every number that is suspiciously equal to another. None of it makes a report
    /// unreadable: a method may do nothing, and two labels may name the same.
    ///
    /// New with the logits of the target's zero-shot (the module was perhaps not applied), with the logits
    /// of Base across two backbones (the backbone was perhaps not swapped), and with the
    /// logits of another cell of the same data set and upgrade (one result perhaps stands for
    /// two).
    pub fn warnings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut seen: BTreeMap<_, &Cell> = BTreeMap::new();
        for cell in &self.cells {
            let conditions = &cell.conditions;
            let Some(new) = &conditions.new else { continue };
            let mut find = |problem: String| {
                findings.push(Finding {
                    location: coordinates(cell),
                    problem,
                });
            };
            let is_same = |other: &Option<crate::condition::Condition>| {
                let other = other.as_ref();
                other.is_some_and(|other| other.logits_sha256 == new.logits_sha256)
            };
            if is_same(&conditions.zero_target) {
                find(
                    "New has exactly the logits of the target's zero-shot: was the module applied?"
                        .to_owned(),
                );
            }
            if cell.upgrade.source != cell.upgrade.target && is_same(&conditions.base) {
                find("New has exactly the logits of Base: was the backbone swapped?".to_owned());
            }
            let key = (&cell.upgrade, &cell.dataset, &new.logits_sha256);
            match seen.get(&key) {
                Some(other) => find(format!(
                    "New has exactly the logits of {} with {} shots and seed {}",
                    other.method, other.shots, other.seed
                )),
                None => drop(seen.insert(key, cell)),
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture;
    use crate::report::Report;

    /// Two methods with logits of their own in every condition.
    fn sound() -> Report {
        let mut report = fixture::report(&["a", "b"], &["x"], &[1], |_, _, _| {
            Ok(([400, 500, 450, 470], Some(600)))
        });
        for (index, cell) in report.cells.iter_mut().enumerate() {
            let conditions = &mut cell.conditions;
            for (name, condition) in [
                ("zero", &mut conditions.zero_target),
                ("base", &mut conditions.base),
                ("new", &mut conditions.new),
            ] {
                condition.as_mut().unwrap().logits_sha256 = format!("{name}{index}");
            }
        }
        report
    }

    #[test]
    fn equal_logits_are_named() {
        assert_eq!(sound().warnings(), []);
        for (logits, expected) in [
            ("zero1", "target's zero-shot: was the module applied?"),
            ("base1", "logits of Base: was the backbone swapped?"),
            ("new0", "logits of a with 16 shots and seed 1"),
        ] {
            let mut report = sound();
            report.cells[1]
                .conditions
                .new
                .as_mut()
                .unwrap()
                .logits_sha256 = logits.into();
            let found = report.warnings();
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].to_string().contains(expected), "{}", found[0]);
        }
    }

    #[test]
    fn a_module_at_home_may_be_what_it_is() {
        let mut report = sound();
        for cell in &mut report.cells {
            cell.upgrade.target = cell.upgrade.source.clone();
            let base = cell.conditions.base.clone();
            cell.conditions.new = base;
        }
        assert_eq!(report.warnings(), []);
    }
}
