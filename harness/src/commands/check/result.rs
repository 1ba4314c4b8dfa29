//! What a check found: a line for each module and target, then one sentence.

use std::collections::BTreeMap;

use harness_render::terminal::one_line;
use harness_report::analysis::{Assessment, Claim, Recommendation, analyse};
use harness_report::{Report, Upgrade};
use serde::Serialize;

use crate::table;

/// What a check found.
#[derive(Serialize)]
pub(super) struct CheckResult {
    modules: Vec<CheckedModule>,
    /// How many modules have each recommendation.
    counts: BTreeMap<String, usize>,
    sentence: String,
}

/// One module on one target. Accuracies are fractions, differences points.
#[derive(Serialize)]
struct CheckedModule {
    module: String,
    dataset: String,
    shots: u32,
    seed: Option<u64>,
    source: String,
    target: String,
    effect: Effect,
    /// New over the target's zero-shot, with its 95 % interval, in points.
    points: Option<[f64; 3]>,
    zero_shot: Option<f64>,
    base: Option<f64>,
    new: Option<f64>,
    retrained: Option<f64>,
    /// Share of what retraining gains that the module gains as it is.
    recovery: Option<f64>,
    recommendation: String,
    /// Why, or why nothing was measured.
    reason: String,
    /// Seconds of a training on the target, where it was done.
    retraining_seconds: Option<f64>,
}

/// What a module does on a target, compared with the target's zero-shot.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    Helps,
    Hurts,
    /// Neither is shown.
    Open,
    NotMeasured,
}

impl Effect {
    fn word(self) -> &'static str {
        match self {
            Self::Helps => "helps",
            Self::Hurts => "hurts",
            Self::Open => "open",
            Self::NotMeasured => "not measured",
        }
    }
}

impl CheckResult {
    pub(super) fn of(report: &Report) -> Self {
        let analysis = analyse(report);
        let modules: Vec<CheckedModule> = analysis.assessments.iter().map(checked).collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in &modules {
            *counts.entry(one.recommendation.clone()).or_default() += 1;
        }
        let sentence = sentence(&analysis.assessments, &report.upgrades);
        Self {
            modules,
            counts,
            sentence,
        }
    }
}

fn checked(one: &Assessment<'_>) -> CheckedModule {
    let percent = |fraction: f64| 100.0 * fraction;
    let points = one.over_zero_shot.as_ref();
    let points = points.map(|d| [d.value, d.interval.low, d.interval.high].map(percent));
    let effect = match points {
        None => Effect::NotMeasured,
        Some(_) if one.helps == Some(Claim::Shown) => Effect::Helps,
        Some(_) if one.harms => Effect::Hurts,
        Some(_) => Effect::Open,
    };
    CheckedModule {
        module: one.method.to_owned(),
        dataset: one.dataset.to_owned(),
        shots: one.shots,
        seed: one.cells.first().map(|cell| cell.seed),
        source: one.upgrade.source.clone(),
        target: one.upgrade.target.clone(),
        effect,
        points,
        zero_shot: one.mean(|cell| Some(cell.conditions.zero_target.as_ref()?.accuracy)),
        base: one.mean(|cell| Some(cell.conditions.base.as_ref()?.accuracy)),
        new: one.mean(|cell| Some(cell.conditions.new.as_ref()?.accuracy)),
        retrained: one.mean(|cell| Some(cell.conditions.oracle.as_ref()?.accuracy)),
        recovery: one.recovery.as_ref().map(|ratio| ratio.value),
        recommendation: one.recommendation.keyword().to_owned(),
        reason: one.reason.clone(),
        retraining_seconds: one.retrained.as_ref().map(|retrained| retrained.seconds),
    }
}

/// `On micro-eva-clip: keep 2, retrain 1 of 3 modules.`
fn sentence(assessments: &[Assessment<'_>], upgrades: &[Upgrade]) -> String {
    let mut targets: Vec<&str> = Vec::new();
    for upgrade in upgrades {
        if !targets.contains(&upgrade.target.as_str()) {
            targets.push(&upgrade.target);
        }
    }
    let parts = targets.into_iter().map(|target| {
        let own: Vec<Recommendation> = assessments
            .iter()
            .filter(|one| one.upgrade.target == target)
            .map(|one| one.recommendation)
            .collect();
        let mut counts: BTreeMap<Recommendation, usize> = BTreeMap::new();
        for one in &own {
            *counts.entry(*one).or_default() += 1;
        }
        let counts = counts
            .iter()
            .map(|(one, count)| format!("{} {count}", one.word()));
        let plural = if own.len() == 1 { "" } else { "s" };
        format!(
            "On {target}, of {} module{plural}: {}.",
            own.len(),
            counts.collect::<Vec<_>>().join("; ")
        )
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// The table and the sentence, as text for the terminal.
pub(super) fn render(result: &CheckResult) -> String {
    let several = |of: fn(&CheckedModule) -> &str| {
        let mut names = result.modules.iter().map(of);
        let first = names.next();
        names.any(|name| Some(name) != first)
    };
    let has_targets = several(|one| &one.target);
    let rows = result.modules.iter().map(|one| {
        let mut row = vec![one.module.clone(), one.dataset.clone()];
        if has_targets {
            row.push(one.target.clone());
        }
        let points = one
            .points
            .map(|[value, low, high]| format!("{value:+.2} [{low:+.2}, {high:+.2}]"));
        let accuracy = |of: Option<f64>| {
            of.map_or_else(|| "n/a".to_owned(), |of| format!("{:.1} %", 100.0 * of))
        };
        row.extend([
            one.effect.word().to_owned(),
            points.unwrap_or_else(|| "n/a".to_owned()),
            accuracy(one.base),
            accuracy(one.new),
            one.recovery.map_or_else(
                || "n/a".to_owned(),
                |share| format!("{:.0} %", 100.0 * share),
            ),
            one.recommendation.clone(),
            one.retraining_seconds.map_or_else(
                || "not measured".to_owned(),
                |seconds| format!("{seconds:.1} s"),
            ),
        ]);
        row
    });
    let mut head = vec!["MODULE", "DATA SET"];
    if has_targets {
        head.push("TARGET");
    }
    head.extend([
        "EFFECT",
        "POINTS OVER ZERO-SHOT",
        "BASE (SOURCE)",
        "NEW (TARGET)",
        "RECOVERY",
        "RECOMMENDATION",
        "RETRAINING",
    ]);
    let mut text = table::plain(&head, rows);
    for one in &result.modules {
        if one.effect == Effect::NotMeasured {
            text += &format!("{}: {}\n", one.module, one_line(&one.reason, 400));
        }
    }
    let counts = result
        .counts
        .iter()
        .map(|(word, count)| format!(" {word}={count}"));
    text += &format!(
        "\n{}\nSummary modules={}{}\n",
        one_line(&result.sentence, 400),
        result.modules.len(),
        counts.collect::<String>()
    );
    text
}
