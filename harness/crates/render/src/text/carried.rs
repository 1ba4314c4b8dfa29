//! One sentence on whether modules were carried over unchanged.

use harness_report::Report;

/// How many injected modules came back with the parameter hash they went in with;
/// nothing where none was injected.
pub(crate) fn carried(report: &Report) -> Option<String> {
    let pairs = report.cells.iter().filter_map(|cell| {
        let training = cell.training.as_ref()?;
        let after = training.parameters_sha256_after.as_ref()?;
        Some(*after == training.parameters_sha256_before)
    });
    let (mut injected, mut unchanged) = (0, 0);
    for same in pairs {
        injected += 1;
        unchanged += usize::from(same);
    }
    (injected > 0).then(|| {
        format!("parameter hash unchanged by injection: {unchanged} of {injected} modules")
    })
}

#[cfg(test)]
mod tests {
    use super::carried;
    use crate::fixture;

    #[test]
    fn a_changed_module_is_counted_out() {
        let measured = |_, _, _| Ok(([400, 500, 450, 480], None));
        let mut report = fixture::report(&["m"], &["a", "b"], &[1], measured);
        let injected = report
            .cells
            .iter_mut()
            .filter_map(|cell| cell.training.as_mut())
            .filter(|training| training.parameters_sha256_after.is_some());
        let mut count = 0;
        for training in injected {
            if count == 0 {
                training.parameters_sha256_after = Some("other".to_owned());
            } else {
                let before = training.parameters_sha256_before.clone();
                training.parameters_sha256_after = Some(before);
            }
            count += 1;
        }
        assert!(count > 1);
        let sentence = carried(&report).unwrap();
        assert!(sentence.ends_with(&format!(": {} of {count} modules", count - 1)));
        report.cells.clear();
        assert_eq!(carried(&report), None);
    }
}
