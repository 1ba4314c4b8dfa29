//! What a check found: a line for each module and target, then one sentence.

use std::collections::BTreeMap;

use harness_render::terminal::{NamedEntries, Style, entries, one_line, paragraph, render_chains};
use harness_report::analysis::{
    Assessment, ChainAnalysis, Claim, Effect as Measured, Recommendation, StepClaim, analyse,
};
use harness_report::{Report, Seeds, Upgrade};
use serde::Serialize;

/// What a check found.
#[derive(Serialize)]
pub(super) struct CheckResult {
    modules: Vec<CheckedModule>,
    /// How many modules have each recommendation.
    counts: BTreeMap<String, usize>,
    sentence: String,
    /// Along a chain of targets, where modules gain and which step lost what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chains: Vec<CheckedChain>,
}

/// A module along a chain of backbones. Differences are points, with their 95 % intervals.
#[derive(Serialize)]
struct CheckedChain {
    module: String,
    dataset: String,
    shots: u32,
    trained_on: String,
    stops: Vec<CheckedStop>,
}

#[derive(Serialize)]
struct CheckedStop {
    backbone: String,
    /// Over the backbone's zero-shot.
    gain: Option<[f64; 3]>,
    /// Gain here minus gain on the backbone before.
    change: Option<[f64; 3]>,
    /// What is shown of the change.
    step: Option<StepClaim>,
}

/// One module on one target. Accuracies are fractions, differences points.
#[derive(Serialize)]
struct CheckedModule {
    module: String,
    dataset: String,
    shots: u32,
    seed: Option<Seeds>,
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
        let is_file = |one: &&Assessment<'_>| {
            let mut methods = report.methods.iter();
            let method = methods.find(|method| method.label == one.method);
            method.is_none_or(|method| method.brings(&one.upgrade.source))
        };
        let own: Vec<&Assessment<'_>> = analysis.assessments.iter().filter(is_file).collect();
        let modules: Vec<CheckedModule> = own.iter().map(|one| checked(one)).collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in &modules {
            *counts.entry(one.recommendation.clone()).or_default() += 1;
        }
        Self {
            sentence: sentence(&own, &report.upgrades),
            chains: analysis.chains.iter().flat_map(checked_chain).collect(),
            modules,
            counts,
        }
    }
}

fn in_points(effect: &Measured) -> [f64; 3] {
    [effect.value, effect.interval.low, effect.interval.high].map(|of| 100.0 * of)
}

fn checked_chain(chain: &ChainAnalysis<'_>) -> Vec<CheckedChain> {
    let rows = chain.rows.iter().map(|row| CheckedChain {
        module: row.method.to_owned(),
        dataset: row.dataset.to_owned(),
        shots: chain.shots,
        trained_on: chain.backbones[row.trained_on].clone(),
        stops: chain.backbones[row.trained_on..]
            .iter()
            .zip(&row.stops)
            .map(|(backbone, stop)| CheckedStop {
                backbone: backbone.clone(),
                gain: stop.gain.as_ref().map(in_points),
                change: stop.step.map(|step| in_points(&step.change)),
                step: stop.step.map(|step| step.claim),
            })
            .collect(),
    });
    rows.collect()
}

fn checked(one: &Assessment<'_>) -> CheckedModule {
    let points = one.over_zero_shot.as_ref().map(in_points);
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
fn sentence(assessments: &[&Assessment<'_>], upgrades: &[Upgrade]) -> String {
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

/// The table, the chains and the sentence, as text for the terminal.
pub(super) fn render(result: &CheckResult, report: &Report, style: &Style) -> String {
    let several = |of: fn(&CheckedModule) -> &str| {
        let mut names = result.modules.iter().map(of);
        let first = names.next();
        names.any(|name| Some(name) != first)
    };
    let has_targets = several(|one| &one.target);
    let rows = result.modules.iter().map(|one| row(one, has_targets));
    let mut heads = vec!["data set"];
    if has_targets {
        heads.push("target");
    }
    heads.extend([
        "effect",
        "points over zero-shot",
        "base (source)",
        "new (target)",
        "recovery",
        "retraining",
        "recommendation",
    ]);
    let heads: Vec<String> = heads.into_iter().map(str::to_owned).collect();
    let all: Vec<usize> = (0..heads.len()).collect();
    // Effect, points, recovery, cost and recommendation are the answer.
    let needed = all.iter().copied();
    let needed = needed.filter(|at| !["base (source)", "new (target)"].contains(&&*heads[*at]));
    let needed: Vec<usize> = needed.collect();
    let rows: Vec<NamedEntries> = rows.collect();
    let mut text = entries(&heads, &rows, &[&all, &needed], style);
    for one in &result.modules {
        if one.effect == Effect::NotMeasured {
            let line = format!("{}: {}", one.module, one_line(&one.reason, 400));
            text += &(paragraph(&line, style) + "\n");
        }
    }
    text += "\n";
    text += &render_chains(report, style);
    let counts = result
        .counts
        .iter()
        .map(|(word, count)| format!(" {word}={count}"));
    text += &format!(
        "{}\nSummary modules={}{}\n",
        paragraph(&one_line(&result.sentence, 400), style),
        result.modules.len(),
        counts.collect::<String>()
    );
    text
}

fn row(one: &CheckedModule, has_targets: bool) -> NamedEntries {
    let plain = |text: String| (text, String::new());
    let missing = || plain("n/a".to_owned());
    let accuracy =
        |of: Option<f64>| of.map_or_else(missing, |of| plain(format!("{:.1} %", 100.0 * of)));
    let mut entries = vec![plain(one.dataset.clone())];
    if has_targets {
        entries.push(plain(one.target.clone()));
    }
    entries.extend([
        plain(one.effect.word().to_owned()),
        one.points.map_or_else(missing, |[value, low, high]| {
            (format!("{value:+.2}"), format!("[{low:+.2}, {high:+.2}]"))
        }),
        accuracy(one.base),
        accuracy(one.new),
        one.recovery
            .map_or_else(missing, |share| plain(format!("{:.0} %", 100.0 * share))),
        plain(one.retraining_seconds.map_or_else(
            || "not measured".to_owned(),
            |seconds| format!("{seconds:.1} s"),
        )),
        plain(one.recommendation.clone()),
    ]);
    (one.module.clone(), entries)
}
