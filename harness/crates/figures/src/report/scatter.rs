//! Base against New, a point a method, with the zero-shot of both backbones.

use harness_report::stats::Estimate;

use super::context::{Context, Drawn};
use crate::draw::{Anchor, Axis, Canvas, Direction, Entry, Heading, Key, MARGIN, Mark, Scale};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// A method with its averages.
struct Point<'a> {
    label: &'a str,
    base: Estimate,
    new: Estimate,
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let points: Vec<Point<'_>> = context
        .block
        .methods
        .iter()
        .filter_map(|row| {
            let summary = row.summary.as_ref()?;
            Some(Point {
                label: row.label,
                base: summary.base,
                new: summary.new,
            })
        })
        .collect();
    if points.is_empty() {
        return Ok(Err(
            "no method was measured on a data set with all its seeds",
        ));
    }
    let svg = svg(context, &points)?;
    let mut numbers = Numbers::new(&[
        "number",
        "method",
        "base",
        "base_low",
        "base_high",
        "new",
        "new_low",
        "new_high",
    ])?;
    for (at, point) in points.iter().enumerate() {
        let mut cells = vec![(at + 1).to_string(), point.label.to_owned()];
        for estimate in [point.base, point.new] {
            let half = estimate.half_width;
            cells.push(number(Some(estimate.mean)));
            cells.push(number(half.map(|half| estimate.mean - half)));
            cells.push(number(half.map(|half| estimate.mean + half)));
        }
        numbers.row(cells)?;
    }
    if let Some(zero) = context.block.zero_shot.summary {
        let [source, target] = [zero.source, zero.target].map(|value| number(Some(value)));
        numbers.row(["", "zero-shot", &source, "", "", &target, "", ""])?;
    }
    let shots = context.shots();
    Ok(Ok(Figure::new(
        &context.name("base-new", &shots),
        svg,
        numbers,
    )?))
}

fn svg(context: &Context<'_>, points: &[Point<'_>]) -> Result<String, FigureError> {
    let style = context.options.style;
    // A square of the plot is wide enough on a page too.
    let page = context.options.width.points().min(360.0);
    let (letters, size) = (style.letters(), style.letters() - 1.0);
    let zero = context.block.zero_shot.summary;
    let mut entries: Vec<Entry> = points
        .iter()
        .enumerate()
        .map(|(at, point)| Entry {
            key: Key::Mark(Mark::of(at)),
            colour: style.series(at),
            text: format!("{} {}", at + 1, point.label),
        })
        .collect();
    let mut line = |text: &str, colour| {
        entries.push(Entry {
            key: Key::Line,
            colour,
            text: text.to_owned(),
        });
    };
    line("New = Base", style.grid());
    if zero.is_some() {
        line("zero-shot of the two backbones", style.pale());
    }
    let has_bars = points
        .iter()
        .any(|p| p.base.half_width.is_some() || p.new.half_width.is_some());
    let all: Vec<usize> = (0..context.block.datasets.len()).collect();
    let note = format!(
        "average over {}{}",
        context.datasets(&all),
        Context::intervals(has_bars)
    );
    let heading = Heading::new(context.title(), note, entries, page, style);
    let percent = |value: f64| 100.0 * value;
    let room = |of: fn(&Point<'_>) -> Estimate, zero: Option<f64>| {
        let ends = points.iter().flat_map(|point| {
            let estimate = of(point);
            let half = estimate.half_width.unwrap_or(0.0);
            [percent(estimate.mean - half), percent(estimate.mean + half)]
        });
        let (low, high) = Axis::room(ends.chain(zero.map(percent)), Scale::Linear);
        (low.max(0.0), high.min(100.0))
    };
    let across = room(|p| p.base, zero.map(|zero| zero.source));
    let upwards = room(|p| p.new, zero.map(|zero| zero.target));
    let side = page - 2.0 * MARGIN;
    let height = 0.72 * side;
    let left = MARGIN + Axis::margin(upwards, Scale::Linear, height, letters);
    let (right, top) = (page - MARGIN - 4.0, heading.height());
    let bottom = top + height;
    let x = Axis::new(Direction::Right, Scale::Linear, across, (left, right));
    let y = Axis::new(Direction::Up, Scale::Linear, upwards, (bottom, top));
    Canvas::page((page, bottom + 3.2 * letters + MARGIN), style, |canvas| {
        heading.draw(canvas)?;
        x.draw(canvas, (top, bottom), "Base: accuracy on the source, %")?;
        y.draw(canvas, (left, right), "New: accuracy on the target, %")?;
        let (low, high) = (across.0.max(upwards.0), across.1.min(upwards.1));
        if low < high {
            let ends = [(x.at(low), y.at(low)), (x.at(high), y.at(high))];
            canvas.line(&ends, style.grid(), 1.4)?;
        }
        if let Some(zero) = zero {
            let (across, upwards) = (x.at(percent(zero.source)), y.at(percent(zero.target)));
            canvas.line(&[(across, top), (across, bottom)], style.pale(), 0.8)?;
            canvas.line(&[(left, upwards), (right, upwards)], style.pale(), 0.8)?;
        }
        let place = |base: f64, new: f64| (x.at(percent(base)), y.at(percent(new)));
        let places: Vec<(f64, f64)> = points
            .iter()
            .map(|point| place(point.base.mean, point.new.mean))
            .collect();
        for (at, point) in points.iter().enumerate() {
            let colour = style.series(at);
            let (base, new) = (point.base.mean, point.new.mean);
            if let Some(half) = point.base.half_width {
                let ends = [place(base - half, new), place(base + half, new)];
                canvas.line(&ends, colour, 0.8)?;
            }
            if let Some(half) = point.new.half_width {
                let ends = [place(base, new - half), place(base, new + half)];
                canvas.line(&ends, colour, 0.8)?;
            }
            Mark::of(at).draw(canvas, places[at], 0.32 * letters, colour)?;
        }
        for (at, place) in beside(&places, letters).into_iter().enumerate() {
            let text = (at + 1).to_string();
            canvas.text(&text, place, size, style.ink(), Anchor::Middle)?;
        }
        Ok(())
    })
}

/// Where the number of each point stands: around it, as far from other points and numbers as one of
/// eight places is.
fn beside(points: &[(f64, f64)], letters: f64) -> Vec<(f64, f64)> {
    let mut taken: Vec<(f64, f64)> = points.to_vec();
    let mut places = Vec::new();
    for (x, y) in points {
        let around = (0..8).map(|turn| {
            let angle = std::f64::consts::FRAC_PI_4 * (7 - turn) as f64;
            (
                x + 0.95 * letters * angle.cos(),
                y + 0.8 * letters * angle.sin(),
            )
        });
        // The nearest thing that is not the point itself.
        let room = |at: &(f64, f64)| {
            let others = taken.iter().filter(|other| **other != (*x, *y));
            let distances = others.map(|other| (at.0 - other.0).hypot(at.1 - other.1));
            distances.fold(2.0 * letters, f64::min)
        };
        let best = around.fold(None, |best: Option<((f64, f64), f64)>, at| {
            let room = room(&at);
            match best {
                Some((_, most)) if most >= room => best,
                _ => Some((at, room)),
            }
        });
        if let Some((at, _)) = best {
            taken.push(at);
            places.push(at);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn numbers_of_points_that_touch_stand_apart() {
        let points = [(10.0, 10.0), (11.0, 10.0), (10.5, 11.0), (80.0, 80.0)];
        let places = beside(&points, 8.0);
        assert_eq!(places.len(), 4);
        for (at, one) in places.iter().enumerate() {
            for other in &places[at + 1..] {
                let apart = (one.0 - other.0).hypot(one.1 - other.1);
                assert!(apart > 4.0, "{one:?} {other:?}");
            }
        }
    }
}
