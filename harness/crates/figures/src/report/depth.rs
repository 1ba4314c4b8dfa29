//! What is recovered of a retraining's gain, by how deep in the backbone a method reaches.

use harness_report::analysis::Ratio;

use super::context::{Context, Drawn};
use crate::draw::{Anchor, Axis, Canvas, Direction, Heading, MARGIN, Mark, Scale, cut_to, width};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// Height of a row in letters.
const ROW: f64 = 1.7;
/// Ratios beyond are drawn at the edge: the CSV has them.
const EDGES: (f64, f64) = (-200.0, 200.0);

/// A method with what is left of its gain.
struct Row<'a> {
    label: &'a str,
    depth: &'a str,
    recovery: Ratio,
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let block = context.block;
    let mut rows: Vec<Row<'_>> = block
        .methods
        .iter()
        .filter_map(|row| {
            let mut methods = context.report.methods.iter();
            let depth = &methods.find(|method| method.label == row.label)?.depth;
            let averages = context
                .analysis
                .averages(block.upgrade, block.shots, row.label)?;
            Some(Row {
                label: row.label,
                depth,
                recovery: averages.recovery?.ratio,
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(Err(
            "of no method retraining is shown to help on the average of the data sets",
        ));
    }
    // Methods of a depth together, in the order of the report.
    let mut depths: Vec<&str> = Vec::new();
    for row in &rows {
        if !depths.contains(&row.depth) {
            depths.push(row.depth);
        }
    }
    let order = |row: &Row<'_>| depths.iter().position(|depth| *depth == row.depth);
    rows.sort_by_key(order);
    let svg = svg(context, &rows)?;
    let mut numbers = Numbers::new(&["method", "depth", "recovery", "low", "high"])?;
    for row in &rows {
        let Ratio { value, interval } = row.recovery;
        numbers.row([
            row.label.to_owned(),
            row.depth.to_owned(),
            number(Some(value)),
            number(interval.map(|interval| interval.low)),
            number(interval.map(|interval| interval.high)),
        ])?;
    }
    let shots = context.shots();
    let name = context.name("recovery-by-depth", &shots);
    Ok(Ok(Figure::new(&name, svg, numbers)?))
}

fn svg(context: &Context<'_>, rows: &[Row<'_>]) -> Result<String, FigureError> {
    let style = context.options.style;
    let (page, letters) = (context.options.width.points(), style.letters());
    let size = letters - 1.0;
    let note =
        "recovery: (New − zero-shot) / (retrained − zero-shot); bars: 95 % over images and seeds";
    let heading = Heading::new(context.title(), note, vec![], page, style);
    let labels: Vec<String> = rows
        .iter()
        .map(|row| cut_to(row.label, 0.3 * page, size))
        .collect();
    let widest = labels
        .iter()
        .map(|text| width(text, size))
        .fold(0.0, f64::max);
    let depths: Vec<String> = rows
        .iter()
        .map(|row| cut_to(row.depth, 0.26 * page, size))
        .collect();
    let deepest = depths
        .iter()
        .map(|text| width(text, size))
        .fold(0.0, f64::max);
    let left = MARGIN + widest + 6.0;
    let right = page - MARGIN - deepest - 8.0;
    let top = heading.height();
    let bottom = top + ROW * letters * rows.len() as f64;
    let percent = |value: f64| (100.0 * value).clamp(EDGES.0, EDGES.1);
    let values = rows.iter().flat_map(|row| {
        let interval = row.recovery.interval;
        let ends = interval.map(|interval| [interval.low, interval.high]);
        ends.into_iter().flatten().chain([row.recovery.value])
    });
    let range = Axis::room(values.map(percent).chain([0.0, 100.0]), Scale::Linear);
    let axis = Axis::new(Direction::Right, Scale::Linear, range, (left, right));
    let height = bottom + 3.2 * letters + MARGIN;
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        axis.draw(canvas, (top, bottom), "recovery, %")?;
        for whole in [0.0, 100.0] {
            let x = axis.at(whole);
            canvas.line(&[(x, top), (x, bottom)], style.pale(), 0.8)?;
        }
        let mut colour = 0;
        for (at, row) in rows.iter().enumerate() {
            let middle = top + ROW * letters * (at as f64 + 0.5);
            let is_first = at == 0 || rows[at - 1].depth != row.depth;
            if is_first && at > 0 {
                colour += 1;
                let above = middle - 0.5 * ROW * letters;
                canvas.line(
                    &[(MARGIN, above), (page - MARGIN, above)],
                    style.grid(),
                    0.5,
                )?;
            }
            let ink = style.ink();
            canvas.text(&labels[at], (left - 6.0, middle), size, ink, Anchor::Right)?;
            if is_first {
                let beside = (right + 8.0, middle);
                canvas.text(&depths[at], beside, size, style.pale(), Anchor::Left)?;
            }
            let shade = style.series(colour);
            if let Some(interval) = row.recovery.interval {
                let ends = [interval.low, interval.high].map(|end| (axis.at(percent(end)), middle));
                canvas.line(&ends, shade, 1.0)?;
            }
            let place = (axis.at(percent(row.recovery.value)), middle);
            Mark::of(colour).draw(canvas, place, 0.3 * letters, shade)?;
        }
        Ok(())
    })
}
