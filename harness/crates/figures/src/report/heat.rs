//! What modules gain over the target's zero-shot: methods by data sets.

use harness_report::analysis::Effect;

use super::context::{Context, Drawn};
use crate::draw::{Anchor, Canvas, Heading, MARGIN, Side, cut_to, width};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// Height of a row in letters.
const ROW: f64 = 1.9;
/// Widest column in points.
const WIDEST: f64 = 46.0;

/// Narrowest page in points.
const LEAST: f64 = 241.0;

/// A method with what is known on each data set.
struct Row<'a> {
    label: &'a str,
    effects: Vec<Option<Effect>>,
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let block = context.block;
    let rows: Vec<Row<'_>> = block
        .methods
        .iter()
        .map(|row| Row {
            label: row.label,
            effects: block
                .datasets
                .iter()
                .map(|dataset| {
                    let found = context
                        .analysis
                        .of_method(block.upgrade, block.shots, row.label)
                        .find(|one| one.dataset == *dataset);
                    found.and_then(|one| one.over_zero_shot)
                })
                .collect(),
        })
        .collect();
    let mut all = rows.iter().flat_map(|row| row.effects.iter().flatten());
    if all.next().is_none() {
        return Ok(Err("nothing was measured"));
    }
    let svg = svg(context, &rows)?;
    let mut numbers = Numbers::new(&["method", "data_set", "new_over_zero_shot", "low", "high"])?;
    for row in &rows {
        for (dataset, effect) in block.datasets.iter().zip(&row.effects) {
            numbers.row([
                row.label.to_owned(),
                (*dataset).to_owned(),
                number(effect.map(|effect| effect.value)),
                number(effect.map(|effect| effect.interval.low)),
                number(effect.map(|effect| effect.interval.high)),
            ])?;
        }
    }
    let shots = context.shots();
    Ok(Ok(Figure::new(
        &context.name("heat-map", &shots),
        svg,
        numbers,
    )?))
}

fn svg(context: &Context<'_>, rows: &[Row<'_>]) -> Result<String, FigureError> {
    let style = context.options.style;
    let (page, letters) = (context.options.width.points(), style.letters());
    let size = letters - 1.0;
    let datasets = &context.block.datasets;
    let note = "New over the target's zero-shot, points; *: the 95 % interval leaves out 0";
    let labels: Vec<String> = rows
        .iter()
        .map(|row| cut_to(row.label, 0.34 * page, size))
        .collect();
    let widest = labels
        .iter()
        .map(|text| width(text, size))
        .fold(0.0, f64::max);
    let left = MARGIN + widest + 5.0;
    let column = ((page - MARGIN - left) / datasets.len() as f64).min(WIDEST);
    let page = page.min((left + column * datasets.len() as f64 + MARGIN).max(LEAST));
    let heading = Heading::new(context.title(), note, vec![], page, style);
    // Names lie where all of them fit and stand otherwise.
    let fits = datasets.iter().all(|name| width(name, size) < column - 3.0);
    let tallest = datasets
        .iter()
        .map(|name| width(&cut_to(name, 80.0, size), size))
        .fold(0.0, f64::max);
    let head = if fits { 1.5 * letters } else { tallest + 6.0 };
    let top = heading.height() + head;
    let height = top + ROW * letters * rows.len() as f64 + MARGIN;
    let strongest = rows
        .iter()
        .flat_map(|row| row.effects.iter().flatten())
        .map(|effect| effect.value.abs())
        .fold(0.01, f64::max);
    // Narrow columns round: the CSV has the digits.
    let text = |effect: &Effect| {
        let points = 100.0 * effect.value;
        let is_shown = effect.interval.low > 0.0 || effect.interval.high < 0.0;
        let star = if is_shown { "*" } else { "" };
        let fine = signed(points, 1) + star;
        match width(&fine, size) < column - 2.0 {
            true => fine,
            false => signed(points, 0) + star,
        }
    };
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        for (at, name) in datasets.iter().enumerate() {
            let middle = left + column * (at as f64 + 0.5);
            let ink = style.ink();
            if fits {
                let name = cut_to(name, column, size);
                canvas.text(
                    &name,
                    (middle, top - 0.8 * letters),
                    size,
                    ink,
                    Anchor::Middle,
                )?;
            } else {
                let name = cut_to(name, 80.0, size);
                let foot = (middle, top - 4.0);
                canvas.turned(&name, foot, size, ink, Anchor::Left, Side::Upwards)?;
            }
        }
        for (at, (row, label)) in rows.iter().zip(&labels).enumerate() {
            let above = top + ROW * letters * at as f64;
            let below = above + ROW * letters;
            let middle = (above + below) / 2.0;
            canvas.text(
                label,
                (left - 5.0, middle),
                size,
                style.ink(),
                Anchor::Right,
            )?;
            for (place, effect) in row.effects.iter().enumerate() {
                let start = left + column * place as f64;
                let centre = (start + column / 2.0, middle);
                let Some(effect) = effect else {
                    canvas.text("–", centre, size, style.pale(), Anchor::Middle)?;
                    continue;
                };
                let colour = style.diverging(effect.value / strongest);
                let corners = [
                    (start + 0.5, above + 0.5),
                    (start + column - 0.5, below - 0.5),
                ];
                canvas.rectangle(corners, colour)?;
                let ink = style.ink();
                canvas.text(&text(effect), centre, size, ink, Anchor::Middle)?;
            }
        }
        Ok(())
    })
}

/// With its sign, and a minus sign that is as wide as a plus.
fn signed(points: f64, digits: usize) -> String {
    format!("{points:+.digits$}").replace('-', "−")
}
