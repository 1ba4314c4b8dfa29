//! A sweep over context lengths.

use harness_report::sweep::{METHOD, Sweep};
use serde_json::json;

use super::rows;
use crate::fixture;

#[test]
fn a_table_has_a_row_an_entry() {
    let mut report = fixture::report(&["m4", "m1", "m2"], &["a", "b"], &[1, 2], |m, d, seed| {
        let new = 500 + 10 * m as u32 + 2 * seed as u32 + d as u32 * 100;
        Ok(([400, 600, 450, new], None))
    });
    for (method, length) in report.methods.iter_mut().zip([4, 1, 2]) {
        method.config = json!({"context": {"length": length, "init": "a"}});
    }
    let labels = |sweep: &Sweep| -> Vec<String> {
        let rows = rows(&sweep.panels[0]).into_iter();
        rows.map(|row| row[1].clone()).collect()
    };
    let by_entry = Sweep::of(&report, Some(METHOD)).unwrap();
    assert_eq!(labels(&by_entry), ["m4", "m1", "m2"]);
    let by_length = Sweep::of(&report, None).unwrap();
    assert_eq!(labels(&by_length), ["1", "2", "4"]);
}
