//! What modules had to be injected without.

use std::collections::BTreeMap;

use crate::text::{NAME, one_line};
use harness_report::Report;

/// Most columns of the names in a sentence.
const NAMES: usize = 400;

/// A sentence for each method and target that lacks the counterpart of some of its
/// tensors.
pub(super) fn left_out(report: &Report) -> Vec<String> {
    let mut found: BTreeMap<(&str, &str), &[String]> = BTreeMap::new();
    for cell in report.cells.iter().filter(|cell| !cell.left_out.is_empty()) {
        found.insert((&cell.method, &cell.upgrade.target), &cell.left_out);
    }
    let sentence = |((method, target), names): (_, &[String])| {
        format!(
            "{} was injected into {} without tensors that have no counterpart there: {}",
            one_line(method, NAME),
            one_line(target, NAME),
            one_line(&names.join(", "), NAMES)
        )
    };
    found.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::left_out;
    use crate::fixture;

    #[test]
    fn each_method_and_target_is_named_once() {
        let measured = |_, _, _| Ok(([400, 500, 450, 480], None));
        let mut report = fixture::report(&["m"], &["a", "b"], &[1, 2], measured);
        assert!(left_out(&report).is_empty());
        for cell in &mut report.cells {
            cell.left_out = vec!["image.ln_pre.bias".into(), "x".into()];
        }
        let sentences = left_out(&report);
        assert_eq!(sentences.len(), 1);
        assert!(sentences[0].ends_with("counterpart there: image.ln_pre.bias, x"));
    }
}
