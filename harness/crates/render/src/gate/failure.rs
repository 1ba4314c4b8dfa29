//! A cell that fails the gate, in the words of a reader who has to act on it.

use crate::gate::commands::Commands;
use crate::text::{command, one_line};
use harness_report::gate::Judgement;
use harness_report::gate::{BORROWED_DEVIATION, Comparison, MethodComparison, Outcome};
use harness_report::stats::{Crossed, Interval, LEVEL};

/// Most columns of a name in a sentence.
const NAME: usize = 40;
/// What follows a claim that one seed of retrained modules carries.
pub(super) const PROVISIONAL: &str = " (provisional: one seed)";

/// `kgcoop on micro-clip → micro-eva-clip / digits, 16 shots, seed 1`.
pub(super) fn coordinates(one: &Comparison<'_>) -> String {
    let seeds: Vec<String> = one.seeds.iter().map(ToString::to_string).collect();
    format!(
        "{} on {} → {} / {}, {} {}, {} {}",
        one_line(one.method, NAME),
        one_line(&one.upgrade.source, NAME),
        one_line(&one.upgrade.target, NAME),
        one_line(one.dataset, NAME),
        one.shots,
        if one.shots == 1 { "shot" } else { "shots" },
        if seeds.len() == 1 { "seed" } else { "seeds" },
        seeds.join(", ")
    )
}

/// `-3.30 [-5.02, -1.61] points`.
pub(super) fn difference(one: &Comparison<'_>) -> String {
    match &one.difference {
        Some(found) => points(
            found.value,
            one.interval.unwrap_or_else(|| found.interval(LEVEL, None)),
        ),
        None => "n/a".to_owned(),
    }
}

fn points(value: f64, interval: Interval) -> String {
    format!(
        "{:+.2} [{:+.2}, {:+.2}] points",
        value * 100.0 + 0.0,
        interval.low * 100.0,
        interval.high * 100.0
    )
}

/// `method coop on micro-clip → micro-eva-clip, 16 shots: -2.10 [-3.30, -0.90] points, mean over 7
/// data sets`.
pub(super) fn method_line(one: &MethodComparison<'_>) -> String {
    format!(
        "method {} on {} → {}, {} {}: {}, mean over {} data sets{}",
        one_line(one.method, NAME),
        one_line(&one.upgrade.source, NAME),
        one_line(&one.upgrade.target, NAME),
        one.shots,
        if one.shots == 1 { "shot" } else { "shots" },
        points(one.value, one.interval),
        one.datasets,
        if one.is_provisional { PROVISIONAL } else { "" }
    )
}

/// The block of a method that regressed as a whole.
pub(super) fn method_block(one: &MethodComparison<'_>, judgement: &Judgement<'_>) -> String {
    let mut text = format!(
        "--- regression method_accuracy_dropped: {} ---\n\n",
        method_line(one)
    );
    text.push_str(&format!(
        "{:>12} p = {:.2e} for no loss, corrected over methods\n",
        "Evidence:", one.p_worse
    ));
    text.push_str(&format!(
        "{:>12} a mean loss below {:.2} points, alpha {}\n",
        "Allowed:", judgement.rule.margin, judgement.rule.alpha
    ));
    if let Some(margin) = one.smallest_margin {
        text.push_str(&format!(
            "{:>12} --margin {:.2}\n",
            "Would pass:",
            margin * 100.0
        ));
    }
    text
}

/// The block of a cell that regressed.
pub(super) fn block(
    one: &Comparison<'_>,
    judgement: &Judgement<'_>,
    commands: &Commands<'_>,
) -> String {
    let (lint, title, description) = match one.outcome {
        Outcome::Unfit => (
            "module_no_longer_fits",
            "no longer fits",
            "The baseline has a number for this cell; now the module cannot be injected."
                .to_owned(),
        ),
        _ => (
            "new_accuracy_dropped",
            "accuracy dropped",
            format!(
                "New fell below the baseline, and a loss of {:.2} points or more is not ruled out.",
                judgement.rule.margin
            ),
        ),
    };
    let mut text = format!(
        "--- regression {lint}: {title}: {} ---\n\n",
        coordinates(one)
    );
    let mut line = |label: &str, value: &str| {
        text.push_str(&format!("{label:>12} {value}\n"));
    };
    line("Description:", &description);
    match one.after {
        Some(after) => line("Measured:", &format!("{:.2} %", after * 100.0)),
        None => {
            let reason = one.problem.map(crate::text::reason).unwrap_or_default();
            line("Measured:", &format!("n/a, {reason}"));
        }
    }
    line("Baseline:", &format!("{:.2} %", one.before * 100.0));
    if let Some(found) = &one.difference {
        let sum =
            |count: fn(&harness_report::stats::Pairs) -> u64| found.pairs().map(count).sum::<u64>();
        line(
            "Difference:",
            &format!(
                "{}, {} images lost and {} gained of {}",
                difference(one),
                sum(|p| p.lost),
                sum(|p| p.gained),
                sum(|p| p.images)
            ),
        );
    }
    if one.is_provisional() {
        line(
            "Seeds:",
            &format!(
                "provisional: one seed, modules trained again; a standard deviation of {:.1} points \
                 between trainings is assumed, not measured",
                BORROWED_DEVIATION * 100.0
            ),
        );
    }
    if one.is_one_split() {
        line(
            "Seeds:",
            "one few-shot split: this holds for that split only",
        );
    }
    if let Some(p) = one.p_worse {
        line(
            "Evidence:",
            &format!("p = {p:.2e} for no loss, corrected over all changed cells"),
        );
    }
    line(
        "Allowed:",
        &format!(
            "a loss below {:.2} points, alpha {}",
            judgement.rule.margin, judgement.rule.alpha
        ),
    );
    if let Some(margin) = one.smallest_margin {
        line("Would pass:", &format!("--margin {:.2}", margin * 100.0));
    }
    line("To re-run:", &command(&commands.rerun(one)));
    line("To accept:", &command(&commands.accept(one)));
    text
}
