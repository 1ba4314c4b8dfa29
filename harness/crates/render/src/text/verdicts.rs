//! What the averages of a method come down to.

use crate::text::NAME;
use crate::text::numbers::{count, points, share};
use crate::text::sanitise::one_line;
use crate::text::status::{reason, word};
use harness_report::Status;
use harness_report::aggregate::{Block, MethodRow};
use harness_report::analysis::Analysis;

/// One sentence a method.
pub(crate) fn verdicts(block: &Block<'_>, analysis: &Analysis<'_>) -> Vec<String> {
    block
        .methods
        .iter()
        .map(|method| verdict(method, block, analysis))
        .collect()
}

fn verdict(method: &MethodRow<'_>, block: &Block<'_>, analysis: &Analysis<'_>) -> String {
    let label = one_line(method.label, NAME);
    let target = one_line(&block.upgrade.target, NAME);
    if method.entries.iter().all(|entry| entry.new.is_none()) {
        return unmeasured(&label, &target, method);
    }
    let Some(of) = analysis.averages(block.upgrade, block.shots, method.label) else {
        return format!("{label} has no data set with every seed measured");
    };
    let recovery = match &of.recovery {
        Some(recovery) => format!(
            "recovers {} of what retraining gains on {target}",
            share(recovery.ratio.value)
        ),
        None => format!(
            "is {} over zero-shot on {target}",
            points(of.over_zero_shot.mean)
        ),
    };
    format!(
        "{label} {recovery}; helps on {} and hurts on {} of {}",
        of.helps,
        of.harms,
        count(of.datasets, "data set", "data sets")
    )
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
