//! Base against New, a point a method, with the zero-shot of both backbones.

use minijinja::Error;
use serde::Serialize;

use crate::export::html::chart::{Axis, NUMBER, Position, labels, rounded};
use crate::export::html::templates::Templates;
use harness_report::aggregate::ZeroShot;
use harness_report::stats::Estimate;

const LEFT: f64 = 34.0;
const TOP: f64 = 26.0;
/// What stays free right of the axes, and below them.
const MARGIN: (f64, f64) = (24.0, 38.0);
/// Width of a letter.
const LETTER: f64 = 6.2;

/// How large a chart is and what stands beside its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Numbers of methods.
    Small,
    /// Names of methods.
    Large,
}

/// A method: its number in the matrix, its name, Base and New.
pub(super) struct Point {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) base: Value,
    pub(super) new: Value,
}

/// A fraction, and half of its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) mean: f64,
    pub(super) half_width: Option<f64>,
}

impl From<&Estimate> for Value {
    fn from(estimate: &Estimate) -> Self {
        Self {
            mean: estimate.mean,
            half_width: estimate.half_width,
        }
    }
}

impl Value {
    /// The ends of its interval and itself.
    fn ends(self) -> [f64; 3] {
        let half = self.half_width.unwrap_or(0.0);
        [self.mean - half, self.mean, self.mean + half].map(|end| end.clamp(0.0, 1.0))
    }
}

#[derive(Serialize)]
struct Chart {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    description: String,
    ticks_x: Vec<Tick>,
    ticks_y: Vec<Tick>,
    equal: String,
    zero_x: Option<f64>,
    zero_y: Option<f64>,
    /// On which side of its line the word stands.
    zero_shift: f64,
    zero_anchor: &'static str,
    points: Vec<Mark>,
}

#[derive(Serialize)]
struct Tick {
    at: f64,
    text: String,
}

#[derive(Serialize)]
struct Mark {
    x: f64,
    y: f64,
    label: Position,
    /// The number or the name.
    text: String,
    title: String,
    /// Lines over the intervals of Base and New.
    bars: String,
}

/// The chart of what is called `name`.
///
/// # Errors
/// When the template does not render.
pub(super) fn scatter(
    templates: &Templates,
    name: &str,
    points: &[Point],
    zero: ZeroShot,
    size: Size,
) -> Result<String, Error> {
    let (width, height) = match size {
        Size::Small => (360.0, 320.0),
        Size::Large => (760.0, 460.0),
    };
    let (right, bottom) = (width - MARGIN.0, height - MARGIN.1);
    let percent = |fraction: f64| fraction * 100.0;
    let bases = points.iter().flat_map(|point| point.base.ends());
    let news = points.iter().flat_map(|point| point.new.ends());
    let (bases, news) = (bases.chain(zero.source), news.chain(zero.target));
    let (across, up) = (
        Axis::around(bases.map(percent)),
        Axis::around(news.map(percent)),
    );
    let x = |value: f64| rounded(LEFT + across.at(value) * (right - LEFT));
    let y = |value: f64| rounded(bottom - up.at(value) * (bottom - TOP));
    let ticks = |axis: &Axis, place: &dyn Fn(f64) -> f64| {
        let marks = axis.marks.iter();
        let ticks = marks.map(|mark| Tick {
            at: place(*mark),
            text: format!("{mark:.0}"),
        });
        ticks.collect::<Vec<_>>()
    };
    let texts = points.iter().map(|point| match size {
        Size::Small => (point.number.to_string(), NUMBER),
        Size::Large => {
            let half = LETTER / 2.0 * point.name.chars().count() as f64;
            (point.name.clone(), half + 2.0)
        }
    });
    let texts: Vec<(String, f64)> = texts.collect();
    let places = points.iter().zip(&texts).map(|(point, (_, half))| {
        let place = Position {
            x: x(percent(point.base.mean)),
            y: y(percent(point.new.mean)),
        };
        (place, *half)
    });
    let places: Vec<(Position, f64)> = places.collect();
    let marks = points.iter().zip(texts).zip(&places);
    let marks = marks.zip(labels(&places, (0.0, width)));
    let marks = marks.map(|(((point, (text, _)), (place, _)), label)| Mark {
        x: place.x,
        y: place.y,
        text,
        bars: bars(point, *place, &x, &y),
        label: Position {
            x: rounded(label.x),
            y: rounded(label.y),
        },
        title: format!(
            "{}: Base {:.2}, New {:.2}",
            point.name,
            percent(point.base.mean),
            percent(point.new.mean)
        ),
    });
    // Where Base and New are equal, as far as both axes go.
    let (from, to) = (across.low.max(up.low), across.high.min(up.high));
    let equal = match from < to {
        true => format!("M{} {}L{} {}", x(from), y(from), x(to), y(to)),
        false => String::new(),
    };
    let zero_x = zero.source.map(percent).map(x);
    let has_room = zero_x.is_none_or(|at| at < (LEFT + right) / 2.0);
    templates.render(
        "scatter.html",
        Chart {
            width,
            height,
            left: LEFT,
            right,
            top: TOP,
            bottom,
            description: format!(
                "{name}: Base against New of {} methods; the numbers are in the tables",
                points.len()
            ),
            ticks_x: ticks(&across, &x),
            ticks_y: ticks(&up, &y),
            equal,
            zero_x,
            zero_shift: if has_room { 4.0 } else { -4.0 },
            zero_anchor: if has_room { "start" } else { "end" },
            zero_y: zero.target.map(percent).map(y),
            points: marks.collect(),
        },
    )
}

/// Lines over the intervals of a point.
fn bars(point: &Point, at: Position, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let [left, _, right] = point.base.ends().map(|end| x(100.0 * end));
    let [low, _, high] = point.new.ends().map(|end| y(100.0 * end));
    let across = point
        .base
        .half_width
        .map(|_| format!("M{left} {}H{right}", at.y));
    let up = point
        .new
        .half_width
        .map(|_| format!("M{} {low}V{high}", at.x));
    across.unwrap_or_default() + &up.unwrap_or_default()
}
