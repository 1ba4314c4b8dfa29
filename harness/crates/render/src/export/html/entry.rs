//! One field of the matrix in each of its views.

use serde::Serialize;

use crate::export::html::shade;
use crate::tables::Cell;
use crate::tables::facts::Facts;
use crate::tables::flips::FlipRates;
use crate::text::{MISSING, NOT_AVAILABLE, percent, points, share, word};
use harness_report::aggregate::{MethodRow, ZeroShot};
use harness_report::analysis::{Assessment, Claim};
use harness_report::metrics::harmonic_mean;

/// A field of the matrix.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Field {
    pub(super) is_mean: bool,
    /// `row,column` of what the script can show; absent where there is nothing.
    pub(super) at: Option<String>,
    pub(super) views: Vec<FieldView>,
}

/// A field in one of the views.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FieldView {
    pub(super) key: &'static str,
    pub(super) class: &'static str,
    pub(super) text: String,
    pub(super) small: String,
}

fn view(key: &'static str, class: &'static str, text: String, small: String) -> FieldView {
    FieldView {
        key,
        class,
        text,
        small,
    }
}

/// The same text in every view.
fn everywhere(text: &str, small: &str) -> Vec<FieldView> {
    let views = shade::VIEWS.iter();
    views
        .map(|one| view(one.key, "", text.to_owned(), small.to_owned()))
        .collect()
}

/// A method on a data set, with its cells of the two tables; `at` is its row and column.
pub(super) fn field(
    assessment: Option<&Assessment<'_>>,
    new: &Cell<'_>,
    recommendation: &Cell<'_>,
    at: (usize, usize),
) -> Field {
    let Some(assessment) = assessment else {
        return Field {
            views: everywhere(NOT_AVAILABLE, ""),
            ..Field::default()
        };
    };
    let Some(facts) = Facts::of(assessment) else {
        let missing = assessment.missing.first();
        let mut views = everywhere(
            &MISSING.to_string(),
            missing.map_or("not run", |m| word(m.status)),
        );
        views[0] = verdict(recommendation);
        return Field {
            at: Some(format!("{},{}", at.0, at.1)),
            views,
            ..Field::default()
        };
    };
    let difference = facts.over_zero_shot.mean;
    let interval = assessment.over_zero_shot.as_ref().map(|difference| {
        let interval = difference.interval;
        format!("[{}, {}]", signed(interval.low), signed(interval.high))
    });
    let base = format!("Base {}", percent(facts.base.mean));
    let views = vec![
        verdict(recommendation),
        moved(new),
        view(
            "delta",
            shade::of_difference(difference),
            points(difference),
            interval.unwrap_or_default(),
        ),
        view(
            "h",
            shade::of_accuracy(facts.h.mean),
            percent(facts.h.mean),
            base,
        ),
        kept(facts.recovery.map(|share| share.value)),
        flips(assessment.flips.as_ref().and_then(FlipRates::of)),
    ];
    Field {
        at: Some(format!("{},{}", at.0, at.1)),
        views,
        ..Field::default()
    }
}

fn verdict(recommendation: &Cell<'_>) -> FieldView {
    match recommendation {
        Cell::Recommendation {
            verdict: Some(verdict),
            recommendation,
            ..
        } => view(
            "verdict",
            shade::of_verdict(*verdict),
            format!("{} {}", verdict.glyph(), verdict.word()),
            recommendation.word().to_owned(),
        ),
        Cell::Recommendation { status, .. } => {
            let why = status.map_or("not run", word);
            view("verdict", "", MISSING.to_string(), why.to_owned())
        }
        _ => view("verdict", "", NOT_AVAILABLE.to_owned(), String::new()),
    }
}

fn moved(new: &Cell<'_>) -> FieldView {
    match new {
        Cell::New {
            accuracy,
            over_zero_shot,
            missing,
        } => {
            let partial = match missing {
                0 => String::new(),
                lost => format!(" {MISSING}{lost}"),
            };
            view(
                "new",
                shade::of_accuracy(accuracy.value),
                accuracy.text() + &partial,
                over_zero_shot.text(),
            )
        }
        _ => view("new", "", NOT_AVAILABLE.to_owned(), String::new()),
    }
}

fn kept(share_of: Option<f64>) -> FieldView {
    match share_of {
        Some(kept) => {
            let (glyph, class) = shade::of_kept(kept);
            view(
                "kept",
                class,
                format!("{glyph} {}", share(kept)),
                String::new(),
            )
        }
        None => view("kept", "", NOT_AVAILABLE.to_owned(), String::new()),
    }
}

fn flips(rates: Option<FlipRates>) -> FieldView {
    match rates {
        Some(rates) => rates_view(&rates),
        None => view("flips", "", NOT_AVAILABLE.to_owned(), String::new()),
    }
}

/// The mean of a method's row.
pub(super) fn mean_field(
    method: &MethodRow<'_>,
    new: &Cell<'_>,
    entries: &[Option<&Assessment<'_>>],
    recovery: Option<f64>,
) -> Field {
    let counts = counts(entries);
    let mut views = match &method.summary {
        None => everywhere(NOT_AVAILABLE, ""),
        Some(of) => vec![
            view("verdict", "", String::new(), String::new()),
            moved(new),
            view(
                "delta",
                shade::of_difference(of.over_zero_shot.mean),
                points(of.over_zero_shot.mean),
                half_width(of.over_zero_shot.half_width),
            ),
            view(
                "h",
                shade::of_accuracy(of.mean_of_h.mean),
                percent(of.mean_of_h.mean),
                format!("Base {}", percent(of.base.mean)),
            ),
            kept(recovery),
            flips(FlipRates::mean(entries.iter().copied().flatten())),
        ],
    };
    views[0] = view("verdict", "", counts.0, counts.1);
    Field {
        is_mean: true,
        views,
        ..Field::default()
    }
}

/// On how many data sets the module is shown to help and to hurt, in two lines.
fn counts(entries: &[Option<&Assessment<'_>>]) -> (String, String) {
    let known = || entries.iter().flatten();
    let help = known()
        .filter(|one| one.helps == Some(Claim::Shown))
        .count();
    let hurt = known().filter(|one| one.harms).count();
    (
        format!("{help} of {} help", known().count()),
        format!("{hurt} hurt"),
    )
}

/// The zero-shot of a data set, or of their mean.
pub(super) fn zero_field(zero: ZeroShot, is_mean: bool) -> Field {
    let number = |value: Option<f64>| value.map_or(NOT_AVAILABLE.to_owned(), percent);
    let h = zero
        .source
        .zip(zero.target)
        .map(|(s, t)| harmonic_mean(s, t));
    let class = |value: Option<f64>| value.map_or("", shade::of_accuracy);
    let nothing = || String::from("–");
    Field {
        is_mean,
        at: None,
        views: vec![
            view("verdict", "", nothing(), String::new()),
            view(
                "new",
                class(zero.target),
                number(zero.target),
                String::new(),
            ),
            view("delta", "", nothing(), String::new()),
            view("h", class(h), number(h), String::new()),
            view("kept", "", nothing(), String::new()),
            view("flips", "", nothing(), String::new()),
        ],
    }
}

fn rates_view(rates: &FlipRates) -> FieldView {
    let parts = [
        ("m", rates.by_module),
        ("r", rates.by_retraining),
        ("b", rates.by_backbone),
        ("u", rates.unattributed),
    ];
    let parts = parts
        .into_iter()
        .filter(|(_, rate)| *rate > 0.0)
        .map(|(letter, rate)| format!("{letter} {:.1}", rate * 100.0));
    view(
        "flips",
        shade::of_flips(rates.negative()),
        percent(rates.negative()),
        parts.collect::<Vec<_>>().join(" "),
    )
}

fn half_width(half: Option<f64>) -> String {
    half.map_or_else(String::new, |half| format!("±{}", percent(half)))
}

/// Points with their sign, never -0.
fn signed(fraction: f64) -> String {
    format!("{:+.1}", (fraction * 1e3).round() / 10.0 + 0.0)
}
