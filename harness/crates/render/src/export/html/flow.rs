//! What became of the answers from Base to New, as a flow.

use minijinja::Error;
use serde::Serialize;

use crate::export::html::chart::rounded;
use crate::export::html::templates::Templates;
use crate::tables::flips::FlipRates;

/// Height of all answers together.
const FULL: f64 = 190.0;
/// Between right and wrong answers.
const GAP: f64 = 12.0;
const TOP: f64 = 8.0;
/// Right edge of the left bar and left edge of the right bar.
const INNER: (f64, f64) = (72.0, 248.0);
/// A ribbon that is thinner has no room for its number.
const READABLE: f64 = 10.0;

#[derive(Serialize)]
struct Chart {
    height: f64,
    description: String,
    ribbons: Vec<Ribbon>,
    bars: Vec<Bar>,
    texts: Vec<Text>,
}

#[derive(Serialize)]
struct Ribbon {
    class: &'static str,
    /// Pattern of the page; absent for a plain colour.
    fill: Option<&'static str>,
    path: String,
    title: String,
    x: f64,
    y: f64,
    text: Option<String>,
}

#[derive(Serialize)]
struct Bar {
    class: &'static str,
    x: f64,
    y: f64,
    height: f64,
}

#[derive(Serialize)]
struct Text {
    x: f64,
    y: f64,
    anchor: &'static str,
    text: String,
}

/// The chart of a method called `name`.
///
/// # Errors
/// When the template does not render.
pub(super) fn flow(templates: &Templates, name: &str, rates: &FlipRates) -> Result<String, Error> {
    let base = rates.both_right + rates.negative();
    let new = rates.both_right + rates.positive;
    // Each ribbon: class, pattern, share, meaning; in the order of the left bar.
    let left = [
        ("kept", None, rates.both_right, "right on both"),
        (
            "lost",
            Some("adapter"),
            rates.by_module,
            "negative flips caused by the module",
        ),
        (
            "lost",
            Some("recoverable"),
            rates.by_retraining,
            "negative flips fixed by retraining",
        ),
        (
            "lost",
            Some("backbone"),
            rates.by_backbone,
            "negative flips caused by the backbone",
        ),
        (
            "lost",
            Some("unattributed"),
            rates.unattributed,
            "negative flips, not attributed",
        ),
        ("won", None, rates.positive, "positive flips"),
        ("wrong", None, rates.both_wrong, "wrong on both"),
    ];
    let start = |shift: f64| TOP + shift * FULL;
    // On the right the won answers come behind the kept ones.
    let right = [
        0.0,
        new,
        new + rates.by_module,
        new + rates.by_module + rates.by_retraining,
        new + rates.by_module + rates.by_retraining + rates.by_backbone,
        rates.both_right,
        new + rates.negative(),
    ];
    let mut before = 0.0;
    let mut ribbons = Vec::new();
    for ((class, fill, share, meaning), after) in left.into_iter().zip(right) {
        let is_right_before = class == "kept" || class == "lost";
        let is_right_after = class == "kept" || class == "won";
        let from = start(before) + if is_right_before { 0.0 } else { GAP };
        let to = start(after) + if is_right_after { 0.0 } else { GAP };
        before += share;
        if share <= 0.0 {
            continue;
        }
        let thick = share * FULL;
        // In the middle ribbons cross: one that does is named at the bar it comes from or goes to.
        let (x, y) = match class {
            "lost" => (INNER.0 + 18.0, from),
            "won" => (INNER.1 - 18.0, to),
            _ => ((INNER.0 + INNER.1) / 2.0, (from + to) / 2.0),
        };
        ribbons.push(Ribbon {
            class,
            fill,
            path: ribbon(from, to, thick),
            title: format!("{meaning}: {:.2} %", share * 100.0),
            x,
            y: rounded(y + thick / 2.0 + 4.0),
            text: (thick >= READABLE).then(|| format!("{:.1}", share * 100.0)),
        });
    }
    let bar = |x: f64, right: f64| {
        [
            Bar {
                class: "kept",
                x,
                y: TOP,
                height: rounded(right * FULL),
            },
            Bar {
                class: "wrong",
                x,
                y: rounded(start(right) + GAP),
                height: rounded((1.0 - right) * FULL),
            },
        ]
    };
    let mut bars = Vec::from(bar(INNER.0 - 12.0, base));
    bars.extend(bar(INNER.1, new));
    let mut texts = side(56.0, "end", "Base", base);
    texts.extend(side(264.0, "start", "New", new));
    templates.render(
        "flow.html",
        Chart {
            height: TOP * 2.0 + FULL + GAP,
            description: format!(
                "{name}: {:.1} % right on both, {:.1} % negative flips ({:.1} caused by the module, \
                 {:.1} fixed by retraining, {:.1} caused by the backbone, {:.1} not attributed), \
                 {:.1} % positive flips, \
                 {:.1} % wrong on both",
                rates.both_right * 100.0,
                rates.negative() * 100.0,
                rates.by_module * 100.0,
                rates.by_retraining * 100.0,
                rates.by_backbone * 100.0,
                rates.unattributed * 100.0,
                rates.positive * 100.0,
                rates.both_wrong * 100.0
            ),
            ribbons,
            bars,
            texts,
        },
    )
}

/// From the left bar to the right one.
fn ribbon(from: f64, to: f64, thick: f64) -> String {
    let (left, right) = INNER;
    let middle = (left + right) / 2.0;
    let [from, to, from_end, to_end] = [from, to, from + thick, to + thick].map(rounded);
    format!(
        "M{left} {from}C{middle} {from} {middle} {to} {right} {to}V{to_end}C{middle} {to_end} \
         {middle} {from_end} {left} {from_end}Z"
    )
}

/// The words beside a bar.
fn side(x: f64, anchor: &'static str, name: &str, right: f64) -> Vec<Text> {
    let text = |y: f64, text: String| Text {
        x,
        y: rounded(y),
        anchor,
        text,
    };
    let upper = TOP + right * FULL / 2.0;
    let lower = TOP + GAP + (right + (1.0 - right) / 2.0) * FULL;
    vec![
        text(upper, format!("{name} ✓")),
        text(upper + 13.0, format!("{:.1}", right * 100.0)),
        text(lower, format!("{name} ✗")),
        text(lower + 13.0, format!("{:.1}", (1.0 - right) * 100.0)),
    ]
}
