//! The sentences behind a verdict and a recommendation.

use crate::analysis::assessment::{Assessment, Retrained};
use crate::analysis::claims::Claim;
use crate::analysis::decide::Deciding;
use crate::analysis::effect::{Effect, Ratio};
use crate::analysis::recommendation::Recommendation;
use crate::analysis::verdict::Verdict;

/// What became of the gain.
pub(super) fn reason(of: &Assessment<'_>, margin: f64, unfit: Option<&str>) -> String {
    let Some(verdict) = of.verdict else {
        let words: Vec<&str> = of.missing.iter().map(|m| m.status.word()).collect();
        return match words.first() {
            Some(first) if words.iter().all(|word| word == first) => {
                format!("no number: {first}")
            }
            _ => "no number, for several reasons".to_owned(),
        };
    };
    if verdict == Verdict::NotInjectable {
        return unfit.unwrap_or_default().to_owned();
    }
    let (Some(source), Some(target), Some(change)) =
        (&of.source_gain, &of.over_zero_shot, &of.gain_change)
    else {
        return String::new();
    };
    let gains = format!(
        "{} points over zero-shot on the source, {} on the target, a change of {}",
        signed(source.value),
        signed(target.value),
        interval(change)
    );
    let recovery = of.recovery.map_or_else(String::new, |recovery| {
        format!("; recovery {}", share(&recovery))
    });
    match verdict {
        Verdict::NoGain => format!(
            "no gain shown on the source: Base - zero-shot is {}",
            interval(source)
        ),
        // The gain fell where the target leaves less to gain.
        Verdict::Compatible if change.interval.low <= -margin => format!(
            "{gains}; retraining adds less than {}{recovery}",
            amount(margin)
        ),
        _ => gains + &recovery,
    }
}

/// What the recommendation brings, what it costs and what it leaves open.
pub(super) fn advice(of: &Assessment<'_>, margin: f64) -> String {
    let sentence = match of.recommendation {
        Recommendation::Keep | Recommendation::UndecidedKeepMeanwhile => keep(of, margin),
        Recommendation::Retrain | Recommendation::RetrainKeepMeanwhile => retrain(of),
        Recommendation::Drop => drop(of, margin),
        Recommendation::Undecided => undecided(of),
    };
    match of.is_one_seed() {
        true => format!("{sentence} (these modules only: one seed)"),
        false => sentence,
    }
}

fn keep(of: &Assessment<'_>, margin: f64) -> String {
    let gain = of.over_zero_shot.as_ref().map_or_else(String::new, |gain| {
        format!("New is {} over zero-shot", interval(gain))
    });
    let little = match of.helps_little {
        true => format!(", less than {}", amount(margin)),
        false => String::new(),
    };
    let retraining = match (of.retraining_pays, &of.retrained) {
        (
            Some(Claim::Refuted),
            Some(Retrained {
                over_new: Some(more),
                ..
            }),
        ) => format!(
            "retraining adds less than {}: {}",
            amount(margin),
            interval(more)
        ),
        (
            Some(_),
            Some(Retrained {
                over_new: Some(more),
                ..
            }),
        ) => format!(
            "whether retraining pays is open: {} over New, {}",
            interval(more),
            deciding(of.deciding)
        ),
        _ => "retraining was not measured".to_owned(),
    };
    format!("{gain}{little}; {retraining}")
}

fn retrain(of: &Assessment<'_>) -> String {
    let Some(retrained) = &of.retrained else {
        return String::new();
    };
    let over_new = retrained.over_new.as_ref();
    let over_new = over_new.map(|gain| format!("{} over New, ", interval(gain)));
    format!(
        "retraining gains {}{} over zero-shot{}",
        over_new.unwrap_or_default(),
        interval(&retrained.over_zero_shot),
        cost(retrained)
    )
}

fn drop(of: &Assessment<'_>, margin: f64) -> String {
    let new = of.over_zero_shot.as_ref().map(|gain| match of.harms {
        true => format!("New is below zero-shot: {}", interval(gain)),
        false => format!(
            "New is less than {} over zero-shot: {}",
            amount(margin),
            interval(gain)
        ),
    });
    let retrained = match &of.retrained {
        Some(retrained) => format!(
            "retraining gains less than {} over zero-shot: {}",
            amount(margin),
            interval(&retrained.over_zero_shot)
        ),
        None => "whether retraining helps is unknown, it was not measured".to_owned(),
    };
    new.map_or(retrained.clone(), |new| format!("{new}; {retrained}"))
}

fn undecided(of: &Assessment<'_>) -> String {
    match (of.helps, &of.over_zero_shot, &of.retrained) {
        (Some(Claim::Open), Some(gain), _) => format!(
            "whether New helps is open: {} over zero-shot, {}",
            interval(gain),
            deciding(of.deciding)
        ),
        (helps, _, Some(retrained)) => format!(
            "{}whether retraining pays is open: {} over zero-shot, {}",
            match helps {
                Some(_) => "New does not help by the margin; ",
                None => "",
            },
            interval(&retrained.over_zero_shot),
            deciding(of.deciding)
        ),
        (None, None, None) if of.verdict == Some(Verdict::NotInjectable) => {
            "whether retraining helps is unknown, it was not measured".to_owned()
        }
        _ => "nothing was measured".to_owned(),
    }
}

fn deciding(deciding: Option<Deciding>) -> String {
    let images = |n: u64| format!("{n} test images");
    let seeds = |n: u64| format!("{n} seeds");
    let needed = match deciding {
        None => return "too close for any amount of data to decide".to_owned(),
        Some(Deciding::Both {
            images: i,
            seeds: s,
        }) => format!("{} and {}", images(i), seeds(s)),
        Some(Deciding::Either {
            images: i,
            seeds: s,
        }) => {
            let parts: Vec<String> = s.map(seeds).into_iter().chain(i.map(images)).collect();
            parts.join(" or ")
        }
    };
    format!("about {needed} would decide")
}

/// ` for 1.5 s of training`, where it is known.
fn cost(retrained: &Retrained) -> String {
    match (retrained.seconds > 0.0, retrained.is_measured) {
        (false, _) => String::new(),
        (true, true) => format!(", for {:.1} s of training", retrained.seconds),
        (true, false) => format!(
            ", for training that took {:.1} s on the source",
            retrained.seconds
        ),
    }
}

/// `1.20 points`, of a difference whose direction the sentence says.
fn amount(fraction: f64) -> String {
    format!("{:.2} points", signless_zero(fraction))
}

/// `+1.20`.
fn signed(fraction: f64) -> String {
    format!("{:+.2}", signless_zero(fraction))
}

/// `-1.20 [-2.31, -0.14] points`.
fn interval(effect: &Effect) -> String {
    format!(
        "{} [{}, {}] points",
        signed(effect.value),
        signed(effect.interval.low),
        signed(effect.interval.high)
    )
}

/// `57 % [49, 66]`.
fn share(ratio: &Ratio) -> String {
    let percent = |share: f64| (share * 100.0).round() + 0.0;
    let interval = ratio.interval.map_or_else(String::new, |interval| {
        format!(
            " [{:.0}, {:.0}]",
            percent(interval.low),
            percent(interval.high)
        )
    });
    format!("{:.0} %{interval}", percent(ratio.value))
}

/// In points, rounded as printed, never -0.
fn signless_zero(fraction: f64) -> f64 {
    (fraction * 1e4).round() / 100.0 + 0.0
}
