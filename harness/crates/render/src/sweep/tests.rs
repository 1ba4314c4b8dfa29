//! A sweep over context lengths, drawn.

use harness_report::Report;
use harness_report::sweep::{METHOD, Sweep};
use serde_json::json;

use super::{rows, svg};
use crate::fixture;

fn report() -> Report {
    let mut report = fixture::report(&["m4", "m1", "m2"], &["a", "b"], &[1, 2], |m, d, seed| {
        let new = 500 + 10 * m as u32 + 2 * seed as u32 + d as u32 * 100;
        Ok(([400, 600, 450, new], None))
    });
    for (method, length) in report.methods.iter_mut().zip([4, 1, 2]) {
        method.config = json!({"context": {"length": length, "init": "a"}});
    }
    report
}

#[test]
fn entries_are_named_and_joined_by_nothing() {
    let by_entry = Sweep::of(&report(), Some(METHOD)).unwrap();
    assert_eq!(rows(&by_entry.panels[0])[0][1], "m4");
    let svg_by_entry = svg(&by_entry).unwrap();
    assert!(
        ["m4", "m1", "m2"]
            .iter()
            .all(|label| svg_by_entry.contains(label))
    );
    let by_length = svg(&Sweep::of(&report(), None).unwrap()).unwrap();
    let lines = |svg: &str| svg.matches("<polyline").count();
    assert!(lines(&svg_by_entry) < lines(&by_length));
}

#[test]
fn a_plot_names_its_axis_and_the_zero_shot() {
    let sweep = Sweep::of(&report(), None).unwrap();
    let svg = svg(&sweep).unwrap();
    assert!(
        svg.contains("context.length") && svg.contains("zero-shot"),
        "{svg}"
    );
    assert_eq!(rows(&sweep.panels[0]).len(), 3);
}
