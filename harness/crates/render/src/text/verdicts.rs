//! What the averages of a method come down to.

use crate::text::NAME;
use crate::text::numbers::{count, share};
use crate::text::sanitise::one_line;
use crate::text::status::{reason, word};
use harness_report::Status;
use harness_report::aggregate::{Block, MethodRow};

/// One sentence a method.
pub(crate) fn verdicts(block: &Block<'_>) -> Vec<String> {
    block
        .methods
        .iter()
        .map(|method| verdict(method, block))
        .collect()
}

fn verdict(method: &MethodRow<'_>, block: &Block<'_>) -> String {
    let label = one_line(method.label, NAME);
    let target = one_line(&block.upgrade.target, NAME);
    let measured: Vec<f64> = method
        .entries
        .iter()
        .filter_map(|e| e.over_zero_shot)
        .collect();
    if measured.is_empty() {
        return unmeasured(&label, &target, method);
    }
    let retention = method.summary.as_ref().map(|s| s.retention.map(|r| r.mean));
    let fate = match retention {
        Some(Some(kept)) if kept > -0.005 => {
            format!("{label} keeps {} of its gain on {target}", share(kept))
        }
        Some(Some(_)) => format!("{label} falls below zero-shot on {target}"),
        Some(None) => format!("{label} has no significant gain on the source"),
        None => format!("{label} has no data set with every seed measured"),
    };
    let below = measured
        .iter()
        .filter(|difference| **difference < 0.0)
        .count();
    let of = count(measured.len(), "data set", "data sets");
    let end = if below == 1 { "ends" } else { "end" };
    format!("{fate}; {below} of {of} {end} below the target's zero-shot")
}

/// The sentence of a method that has no New at all.
fn unmeasured(label: &str, target: &str, method: &MethodRow<'_>) -> String {
    let mut problems = method.entries.iter().flat_map(|entry| &entry.problems);
    let Some(first) = problems.next() else {
        return format!("{label} was not run");
    };
    let same = problems.all(|problem| problem.status == first.status);
    match first.status {
        status @ Status::NotInjectable { .. } if same => {
            format!(
                "{label} cannot be injected into {target}: {}",
                reason(status)
            )
        }
        status if same => format!("{label} gave no result on {target}: {}", word(status)),
        _ => format!("{label} gave no result on {target}, for several reasons"),
    }
}
