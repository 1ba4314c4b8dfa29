//! Base, New and their harmonic mean of every method, averaged over data sets.

use harness_report::aggregate::{MethodRow, Summary};
use harness_report::stats::Estimate;

use super::context::{Context, Drawn};
use crate::draw::{
    Anchor, Axis, Canvas, Direction, Entry, Heading, Key, MARGIN, Mark, Scale, cut_to, width,
};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// Height of a row in letters.
const ROW: f64 = 1.75;

/// Depth of methods that act at the text input alone.
const SHALLOW: &str = "text input";

/// A row that has numbers.
struct Row<'a> {
    label: &'a str,
    depth: &'a str,
    summary: &'a Summary,
    averaged: &'a [usize],
}

impl Row<'_> {
    fn marks(&self) -> [(&'static str, Estimate); 3] {
        let Summary {
            base,
            new,
            h_of_means,
            ..
        } = *self.summary;
        [("base", base), ("new", new), ("h", h_of_means)]
    }
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let row = |row: &'_ MethodRow<'_>| row.summary.is_some();
    if !context.block.methods.iter().any(row) {
        return Ok(Err(
            "no method was measured on a data set with all its seeds",
        ));
    }
    let rows: Vec<Row<'_>> = context
        .block
        .methods
        .iter()
        .filter_map(|row| {
            let mut methods = context.report.methods.iter();
            let method = methods.find(|method| method.label == row.label);
            Some(Row {
                label: row.label,
                depth: method.map_or("", |method| &method.depth),
                summary: row.summary.as_ref()?,
                averaged: &row.averaged,
            })
        })
        .collect();
    let svg = svg(context, &rows)?;
    let mut numbers = Numbers::new(&[
        "method",
        "depth",
        "condition",
        "accuracy",
        "low",
        "high",
        "seeds",
        "data_sets",
    ])?;
    for row in &rows {
        for (name, estimate) in row.marks() {
            let half = estimate.half_width;
            numbers.row([
                row.label.to_owned(),
                row.depth.to_owned(),
                name.to_owned(),
                number(Some(estimate.mean)),
                number(half.map(|half| estimate.mean - half)),
                number(half.map(|half| estimate.mean + half)),
                estimate.n.to_string(),
                row.averaged.len().to_string(),
            ])?;
        }
    }
    if let Some(zero) = context.block.zero_shot.summary {
        let averaged = context.block.zero_shot.averaged.to_string();
        for (name, value) in [
            ("zero-shot source", zero.source),
            ("zero-shot target", zero.target),
        ] {
            let value = number(Some(value));
            let cells = ["", "", name, &value, "", "", "", &averaged];
            numbers.row(cells)?;
        }
    }
    let shots = context.shots();
    Ok(Ok(Figure::new(
        &context.name("methods", &shots),
        svg,
        numbers,
    )?))
}

fn svg(context: &Context<'_>, rows: &[Row<'_>]) -> Result<String, FigureError> {
    let style = context.options.style;
    let (page, letters) = (context.options.width.points(), style.letters());
    let size = letters - 1.0;
    let colours = [style.series(1), style.series(0), style.ink()];
    let shapes = [Mark::Ring, Mark::Disc, Mark::Diamond];
    let zero = context.block.zero_shot.summary;
    let texts = ["Base (source)", "New (target)", "H, their harmonic mean"];
    let mut entries: Vec<Entry> = texts
        .iter()
        .zip(shapes)
        .zip(colours)
        .map(|((text, mark), colour)| Entry {
            key: Key::Mark(mark),
            colour,
            text: (*text).to_owned(),
        })
        .collect();
    if zero.is_some() {
        for (text, colour) in ["zero-shot, source", "zero-shot, target"]
            .iter()
            .zip(colours)
        {
            entries.push(Entry {
                key: Key::Line,
                colour,
                text: (*text).to_owned(),
            });
        }
    }
    let has_bars = rows
        .iter()
        .any(|row| row.marks().iter().any(|(_, e)| e.half_width.is_some()));
    let all: Vec<usize> = rows.iter().flat_map(|row| row.averaged.to_vec()).collect();
    let all: Vec<usize> = (0..context.block.datasets.len())
        .filter(|at| all.contains(at))
        .collect();
    let is_marked = page <= 300.0 && rows.iter().any(|row| !["", SHALLOW].contains(&row.depth));
    let note = format!(
        "average over {}{}{}",
        context.datasets(&all),
        Context::intervals(has_bars),
        if is_marked {
            "; ↓: deeper than the text input"
        } else {
            ""
        }
    );
    let heading = Heading::new(context.title(), note, entries, page, style);
    // A depth beside the name where the page is wide, and else an arrow.
    let label = |row: &Row<'_>| match row.depth {
        "" => row.label.to_owned(),
        depth if page > 300.0 => format!("{} ({depth})", row.label),
        SHALLOW => row.label.to_owned(),
        _ => format!("{} ↓", row.label),
    };
    let labels: Vec<String> = rows
        .iter()
        .map(|row| cut_to(&label(row), 0.42 * page, size))
        .collect();
    let widest = labels
        .iter()
        .map(|text| width(text, size))
        .fold(0.0, f64::max);
    let (left, right) = (MARGIN + widest + 6.0, page - MARGIN - 6.0);
    let top = heading.height();
    let bottom = top + ROW * letters * rows.len() as f64;
    let percent = |value: f64| 100.0 * value;
    let values = rows.iter().flat_map(Row::marks).flat_map(|(_, e)| {
        let half = e.half_width.unwrap_or(0.0);
        [percent(e.mean - half), percent(e.mean + half)]
    });
    let zeros = zero
        .iter()
        .flat_map(|zero| [percent(zero.source), percent(zero.target)]);
    let (low, high) = Axis::room(values.chain(zeros), Scale::Linear);
    let range = (low.max(0.0), high.min(100.0));
    let axis = Axis::new(Direction::Right, Scale::Linear, range, (left, right));
    let height = bottom + 3.2 * letters + MARGIN;
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        axis.draw(canvas, (top, bottom), "accuracy, %")?;
        if let Some(zero) = zero {
            for (value, colour) in [zero.source, zero.target].into_iter().zip(colours) {
                let x = axis.at(percent(value));
                canvas.line(&[(x, top), (x, bottom)], colour, 0.8)?;
            }
        }
        for (at, (row, label)) in rows.iter().zip(&labels).enumerate() {
            let middle = top + ROW * letters * (at as f64 + 0.5);
            canvas.text(
                label,
                (left - 6.0, middle),
                size,
                style.ink(),
                Anchor::Right,
            )?;
            for (which, (_, estimate)) in row.marks().into_iter().enumerate() {
                let y = middle + (which as f64 - 1.0) * 0.42 * letters;
                let (colour, x) = (colours[which], axis.at(percent(estimate.mean)));
                if let Some(half) = estimate.half_width {
                    let ends = [estimate.mean - half, estimate.mean + half];
                    let ends = ends.map(|end| (axis.at(percent(end)), y));
                    canvas.line(&ends, colour, 1.0)?;
                }
                shapes[which].draw(canvas, (x, y), 0.28 * letters, colour)?;
            }
        }
        Ok(())
    })
}
