//! Base against New, a point a method, with the zero-shot of both backbones.

use minijinja::Error;
use serde::Serialize;

use crate::export::html::chart::{Axis, Position, labels, rounded};
use crate::export::html::templates::Templates;
use harness_report::aggregate::ZeroShot;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 336.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 282.0;

/// A method: its number in the matrix, its name, Base and New.
pub(super) struct Point {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) base: f64,
    pub(super) new: f64,
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
    number: usize,
    title: String,
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
) -> Result<String, Error> {
    let percent = |fraction: f64| fraction * 100.0;
    let bases = points.iter().map(|point| point.base).chain(zero.source);
    let news = points.iter().map(|point| point.new).chain(zero.target);
    let (across, up) = (
        Axis::around(bases.map(percent)),
        Axis::around(news.map(percent)),
    );
    let x = |value: f64| rounded(LEFT + across.at(value) * (RIGHT - LEFT));
    let y = |value: f64| rounded(BOTTOM - up.at(value) * (BOTTOM - TOP));
    let ticks = |axis: &Axis, place: &dyn Fn(f64) -> f64| {
        let marks = axis.marks.iter();
        let ticks = marks.map(|mark| Tick {
            at: place(*mark),
            text: format!("{mark:.0}"),
        });
        ticks.collect::<Vec<_>>()
    };
    let places: Vec<Position> = points
        .iter()
        .map(|point| Position {
            x: x(percent(point.base)),
            y: y(percent(point.new)),
        })
        .collect();
    let marks = points.iter().zip(&places).zip(labels(&places));
    let marks = marks.map(|((point, place), label)| Mark {
        x: place.x,
        y: place.y,
        label: Position {
            x: rounded(label.x),
            y: rounded(label.y),
        },
        number: point.number,
        title: format!(
            "{}: Base {:.2}, New {:.2}",
            point.name,
            percent(point.base),
            percent(point.new)
        ),
    });
    // Where Base and New are equal, as far as both axes go.
    let (from, to) = (across.low.max(up.low), across.high.min(up.high));
    let equal = match from < to {
        true => format!("M{} {}L{} {}", x(from), y(from), x(to), y(to)),
        false => String::new(),
    };
    let zero_x = zero.source.map(percent).map(x);
    let has_room = zero_x.is_none_or(|at| at < (LEFT + RIGHT) / 2.0);
    templates.render(
        "scatter.html",
        Chart {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: RIGHT,
            top: TOP,
            bottom: BOTTOM,
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
