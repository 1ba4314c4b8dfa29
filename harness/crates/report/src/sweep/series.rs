//! The numbers of a sweep.

use serde_json::Value;

use super::key::{self, METHOD, SweepError};
use crate::cell::Cell;
use crate::condition::Condition;
use crate::report::{Method, Report};
use crate::stats::{Estimate, mean};
use crate::upgrade::Upgrade;

/// Accuracy over the values of one key of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Path in the configuration, `context.length`, or [`METHOD`].
    pub key: String,
    /// One for each upgrade and number of shots.
    pub panels: Vec<Panel>,
}

/// The sweep across one upgrade.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub upgrade: Upgrade,
    pub shots: u32,
    /// The target's zero-shot, mean over data sets.
    pub zero_target: Option<f64>,
    pub datasets: usize,
    pub series: Vec<Series>,
}

/// The entries of one method that differ in nothing but the key.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The method's id, and what else its configuration sets.
    pub name: String,
    /// By rising value.
    pub points: Vec<Point>,
}

/// One entry: means over data sets, estimated over seeds. Accuracies are fractions.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub value: f64,
    /// What the axis shows for the value.
    pub label: String,
    pub base: Estimate,
    pub new: Estimate,
    /// New minus the target's zero-shot.
    pub over_zero_shot: Estimate,
}

impl Sweep {
    /// The sweep that a report holds, over `key` or over the only number that varies.
    /// A seed counts where every data set was measured with it.
    ///
    /// # Errors
    /// Nothing varies, or more than one number does.
    pub fn of(report: &Report, key: Option<&str>) -> Result<Self, SweepError> {
        let key = key::find(report, key)?;
        let mut shots: Vec<u32> = report.cells.iter().map(|cell| cell.shots).collect();
        shots.sort_unstable();
        shots.dedup();
        let places = report.upgrades.iter().flat_map(|upgrade| {
            let shots = shots.iter();
            shots.map(move |shots| (upgrade, *shots))
        });
        let panels = places.map(|(upgrade, shots)| panel(report, &key, upgrade, shots));
        Ok(Self {
            panels: panels.collect(),
            key,
        })
    }
}

fn panel(report: &Report, key: &str, upgrade: &Upgrade, shots: u32) -> Panel {
    let mut series: Vec<Series> = Vec::new();
    for (index, method) in report.methods.iter().enumerate() {
        let Some((value, label, name)) = place(method, index, key) else {
            continue;
        };
        let cells = report.cells.iter().filter(|cell| {
            cell.method == method.label && cell.upgrade == *upgrade && cell.shots == shots
        });
        let cells: Vec<&Cell> = cells.collect();
        let Some(point) = point((value, label), &cells, report.datasets.len()) else {
            continue;
        };
        match series.iter_mut().find(|known| known.name == name) {
            Some(known) => known.points.push(point),
            None => series.push(Series {
                name,
                points: vec![point],
            }),
        }
    }
    for line in &mut series {
        line.points.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
    let first = series.first().and_then(|line| line.points.first());
    Panel {
        upgrade: upgrade.clone(),
        shots,
        zero_target: first.map(|point| point.new.mean - point.over_zero_shot.mean),
        datasets: report.datasets.len(),
        series,
    }
}

/// Where an entry stands on the axis, what the axis says there, and of which series it is.
fn place(method: &Method, index: usize, key: &str) -> Option<(f64, String, String)> {
    if key == METHOD {
        return Some((index as f64, method.label.clone(), "every entry".to_owned()));
    }
    let mut leaves = key::leaves(&method.config);
    let value = leaves.remove(key).as_ref().and_then(Value::as_f64)?;
    Some((value, value.to_string(), name(method, &leaves)))
}

fn name(method: &Method, others: &std::collections::BTreeMap<String, Value>) -> String {
    let others: Vec<String> = others.iter().map(|(k, v)| format!("{k}={v}")).collect();
    match others.is_empty() {
        true => method.id.clone(),
        false => format!("{} {}", method.id, others.join(" ")),
    }
}

fn point((value, label): (f64, String), cells: &[&Cell], datasets: usize) -> Option<Point> {
    let mut seeds: Vec<u64> = cells.iter().map(|cell| cell.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let (mut base, mut new, mut over) = (vec![], vec![], vec![]);
    for seed in seeds {
        let measured: Vec<[f64; 3]> = cells
            .iter()
            .filter(|cell| cell.seed == seed)
            .filter_map(|cell| {
                let conditions = &cell.conditions;
                let accuracy = |c: &Option<Condition>| c.as_ref().map(|c| c.accuracy);
                Some([
                    accuracy(&conditions.base)?,
                    accuracy(&conditions.new)?,
                    accuracy(&conditions.zero_target)?,
                ])
            })
            .collect();
        if measured.len() < datasets {
            continue;
        }
        let of = |at: usize| mean(&measured.iter().map(|m| m[at]).collect::<Vec<_>>());
        base.push(of(0)?);
        new.push(of(1)?);
        over.push(of(1)? - of(2)?);
    }
    Some(Point {
        value,
        label,
        base: Estimate::of(&base)?,
        new: Estimate::of(&new)?,
        over_zero_shot: Estimate::of(&over)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture;

    fn report() -> Report {
        let methods = ["m4", "m1", "m2"];
        let mut report = fixture::report(&methods, &["a", "b"], &[1, 2], |m, d, seed| {
            let new = 500 + 10 * m as u32 + 2 * seed as u32 + d as u32 * 100;
            Ok(([400, 600, 450, new], None))
        });
        for (method, length) in report.methods.iter_mut().zip([4, 1, 2]) {
            method.config = json!({"context": {"length": length, "init": "a"}});
        }
        report
    }

    #[test]
    fn the_number_that_varies_is_found_and_sorted() {
        let sweep = Sweep::of(&report(), None).unwrap();
        assert_eq!(sweep.key, "context.length");
        let [panel] = &sweep.panels[..] else {
            panic!("{sweep:?}")
        };
        assert_eq!(panel.series.len(), 1);
        assert_eq!(panel.series[0].name, "coop context.init=\"a\"");
        let values: Vec<f64> = panel.series[0].points.iter().map(|p| p.value).collect();
        assert_eq!(values, [1.0, 2.0, 4.0]);
        // m1: 0.5 + 0.01 + 0.002 seed on a, 0.1 more on b.
        let point = &panel.series[0].points[0];
        assert!((point.new.mean - 0.563).abs() < 1e-12, "{point:?}");
        assert!((point.over_zero_shot.mean - 0.113).abs() < 1e-12);
        assert!((panel.zero_target.unwrap() - 0.45).abs() < 1e-12);
        assert_eq!(point.new.n, 2);
    }

    #[test]
    fn entries_are_a_sweep_of_their_own_in_the_order_of_the_suite() {
        let sweep = Sweep::of(&report(), Some(METHOD)).unwrap();
        let series = &sweep.panels[0].series;
        assert_eq!(series.len(), 1);
        let labels: Vec<&str> = series[0].points.iter().map(|p| &*p.label).collect();
        assert_eq!(labels, ["m4", "m1", "m2"]);
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let mut report = report();
        let unknown = Sweep::of(&report, Some("lambda")).unwrap_err();
        assert!(unknown.to_string().contains("\"lambda\""));
        report.methods[0].config["lambda"] = json!(1);
        report.methods[1].config["lambda"] = json!(2);
        report.methods[2].config["lambda"] = json!(2);
        let several = Sweep::of(&report, None).unwrap_err();
        assert_eq!(
            several,
            SweepError::Several(vec!["context.length".into(), "lambda".into()])
        );
        report.methods.truncate(1);
        assert_eq!(Sweep::of(&report, None), Err(SweepError::Nothing));
    }

    #[test]
    fn a_seed_without_all_data_sets_does_not_count() {
        let mut report = report();
        let cell = report
            .cells
            .iter_mut()
            .find(|c| c.method == "m1" && c.seed == 2);
        cell.unwrap().conditions.new = None;
        let sweep = Sweep::of(&report, None).unwrap();
        assert_eq!(sweep.panels[0].series[0].points[0].new.n, 1);
    }
}
