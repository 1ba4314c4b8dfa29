//! The sentences behind a verdict and a recommendation.

use crate::analysis::assessment::Assessment;
use crate::analysis::decide::Deciding;
use crate::analysis::recommendation::Recommendation;
use crate::analysis::retrained::Retrained;
use crate::analysis::verdict::Verdict;
use crate::stats::Difference;

pub(super) fn reason(assessment: &Assessment<'_>, margin: f64, unfit: Option<&str>) -> String {
    let Some(verdict) = assessment.verdict else {
        let words: Vec<&str> = assessment.missing.iter().map(|m| m.status.word()).collect();
        return match words.first() {
            Some(first) if words.iter().all(|word| word == first) => {
                format!("no number: {first}")
            }
            _ => "no number, for several reasons".to_owned(),
        };
    };
    let base = || assessment.against_base.as_ref().map(interval);
    let base = base().unwrap_or_default();
    let allowed = format!("{:.2}", margin * 100.0);
    match verdict {
        Verdict::NotInjectable => unfit.unwrap_or_default().to_owned(),
        Verdict::Incompatible => {
            let zero = assessment.over_zero_shot.as_ref().map(interval);
            format!(
                "below the target's zero-shot: New - zero-shot is {}",
                zero.unwrap_or_default()
            )
        }
        Verdict::Compatible => {
            format!("less than {allowed} points below Base: New - Base is {base}")
        }
        Verdict::Degraded => {
            format!("below Base, perhaps by more than {allowed} points: New - Base is {base}")
        }
        Verdict::Inconclusive => format!(
            "neither a loss nor a loss within {allowed} points shown: New - Base is {base}; {}",
            deciding(assessment.deciding)
        ),
    }
}

fn deciding(deciding: Option<Deciding>) -> String {
    match deciding {
        None => "too close to the margin for any amount of data to decide".to_owned(),
        Some(Deciding { images, seeds }) => {
            let images = images.map(|n| format!("{n} test images"));
            let seeds = seeds.map(|n| format!("{n} seeds"));
            let needed: Vec<String> = images.into_iter().chain(seeds).collect();
            format!("about {} would decide", needed.join(" and "))
        }
    }
}

pub(super) fn advice(assessment: &Assessment<'_>) -> String {
    let zero = assessment.over_zero_shot.as_ref();
    let retrained = assessment.retrained.as_ref();
    match assessment.recommendation {
        Recommendation::Keep => {
            let gain = match zero {
                Some(gain) if gain.low() > 0.0 => {
                    format!("{} over the target's zero-shot", points(gain.value))
                }
                _ => "no significant gain over the target's zero-shot".to_owned(),
            };
            match retrained.and_then(|r| Some((r, r.over_new.as_ref()?))) {
                Some((r, more)) if more.low() > 0.0 => format!(
                    "costs nothing, {gain}; retraining would add {}{}",
                    amount(more.value),
                    cost(r)
                ),
                _ => format!("costs nothing, {gain}"),
            }
        }
        Recommendation::Drop => match (zero, retrained) {
            (Some(gain), None) => format!(
                "the target's zero-shot is {} better; retraining was not measured",
                amount(-gain.value)
            ),
            (Some(gain), Some(_)) => format!(
                "the target's zero-shot is {} better, and retraining does not significantly beat it",
                amount(-gain.value)
            ),
            _ => "retraining does not significantly beat the target's zero-shot".to_owned(),
        },
        Recommendation::Retrain => match retrained {
            None => {
                "its benefit was not measured: the suite does not set `oracle: true`".to_owned()
            }
            Some(r) => {
                let over_new = r.over_new.as_ref();
                let over_new = over_new.map(|gain| format!("{} over New, ", points(gain.value)));
                format!(
                    "{}{} over the target's zero-shot{}",
                    over_new.unwrap_or_default(),
                    points(r.over_zero_shot.value),
                    cost(r)
                )
            }
        },
        Recommendation::Undecided => match assessment.verdict {
            None => "nothing was measured".to_owned(),
            Some(_) => "no significant gain over the target's zero-shot".to_owned(),
        },
    }
}

/// ` for 1.5 s of training`, where it is known.
fn cost(retrained: &Retrained) -> String {
    match (retrained.seconds > 0.0, retrained.is_measured) {
        (false, _) => String::new(),
        (true, true) => format!(" for {:.1} s of training", retrained.seconds),
        (true, false) => format!(
            " for training that took {:.1} s on the source",
            retrained.seconds
        ),
    }
}

/// `1.20 points`, of a difference whose direction the sentence says.
fn amount(fraction: f64) -> String {
    format!("{:.2} points", signless_zero(fraction))
}

/// `+1.20 points`.
fn points(fraction: f64) -> String {
    format!("{:+.2} points", signless_zero(fraction))
}

/// `-1.20 [-2.31, -0.14] points`, both kinds of uncertainty in it.
fn interval(difference: &Difference) -> String {
    let hull = difference.hull();
    format!(
        "{:+.2} [{:+.2}, {:+.2}] points",
        signless_zero(difference.value),
        signless_zero(hull.low),
        signless_zero(hull.high)
    )
}

/// In points, rounded as printed, never -0.
fn signless_zero(fraction: f64) -> f64 {
    (fraction * 1e4).round() / 100.0 + 0.0
}
