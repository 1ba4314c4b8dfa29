//! Learning curves of the trainings on the source, a panel a data set.

use std::collections::BTreeMap;

use super::context::{Context, Drawn};
use crate::draw::{
    Anchor, Axis, Canvas, Direction, Entry, Heading, Key, MARGIN, Mark, Scale, cut_to,
};
use crate::error::FigureError;
use crate::figure::{Figure, Numbers, number};

/// Height of a panel's plot in letters.
const PLOT: f64 = 11.0;
/// Narrowest panel in letters.
const NARROWEST: f64 = 14.0;
/// Ratio of losses from which they are drawn on a logarithmic axis.
const WIDE: f64 = 20.0;

/// The losses of a method on a data set: the mean over seeds, with the lowest and highest.
struct Curve<'a> {
    method: usize,
    label: &'a str,
    points: Vec<[f64; 3]>,
    seeds: usize,
}

/// The curves of a data set.
struct Panel<'a> {
    dataset: &'a str,
    curves: Vec<Curve<'a>>,
}

pub(super) fn draw(context: &Context<'_>) -> Drawn {
    let panels = panels(context);
    if panels.is_empty() {
        return Ok(Err(
            "the report has no losses: nothing was trained, or before they were kept",
        ));
    }
    let svg = svg(context, &panels)?;
    let mut numbers = Numbers::new(&[
        "data_set",
        "method",
        "share_of_training",
        "loss",
        "lowest",
        "highest",
        "seeds",
    ])?;
    for panel in &panels {
        for curve in &panel.curves {
            for (at, [mean, low, high]) in curve.points.iter().enumerate() {
                numbers.row([
                    panel.dataset.to_owned(),
                    curve.label.to_owned(),
                    number(Some(share(at, curve.points.len()))),
                    number(Some(*mean)),
                    number(Some(*low)),
                    number(Some(*high)),
                    curve.seeds.to_string(),
                ])?;
            }
        }
    }
    let shots = context.shots();
    let name = context.name("learning-curves", &shots);
    Ok(Ok(Figure::new(&name, svg, numbers)?))
}

/// Middle of a stretch, as a share of the training.
fn share(at: usize, stretches: usize) -> f64 {
    (at as f64 + 0.5) / stretches as f64
}

fn panels<'a>(context: &Context<'a>) -> Vec<Panel<'a>> {
    let block = context.block;
    let report = context.report;
    let of = |dataset: &'a str| {
        let mut curves = Vec::new();
        for (at, method) in report.methods.iter().enumerate() {
            let cells = report.cells.iter().filter(|cell| {
                cell.upgrade == *block.upgrade
                    && cell.shots == block.shots
                    && cell.dataset == dataset
                    && cell.method == method.label
            });
            // Seeds whose stretches are as many as those of the first.
            let mut by_length: BTreeMap<usize, Vec<&[f32]>> = BTreeMap::new();
            for cell in cells {
                let losses = cell.training.as_ref().map_or(&[][..], |t| &t.losses);
                if !losses.is_empty() {
                    by_length.entry(losses.len()).or_default().push(losses);
                }
            }
            let longest = by_length.into_values().max_by_key(Vec::len);
            if let Some(seeds) = longest {
                curves.push(Curve {
                    method: at,
                    label: &method.label,
                    points: (0..seeds[0].len()).map(|step| over(&seeds, step)).collect(),
                    seeds: seeds.len(),
                });
            }
        }
        (!curves.is_empty()).then_some(Panel { dataset, curves })
    };
    block
        .datasets
        .iter()
        .filter_map(|dataset| of(dataset))
        .collect()
}

/// Mean, lowest and highest of the seeds at a stretch.
fn over(seeds: &[&[f32]], step: usize) -> [f64; 3] {
    let values = seeds.iter().map(|losses| f64::from(losses[step]));
    let (mut sum, mut low, mut high) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        sum += value;
        low = low.min(value);
        high = high.max(value);
    }
    [sum / seeds.len() as f64, low, high]
}

fn svg(context: &Context<'_>, panels: &[Panel<'_>]) -> Result<String, FigureError> {
    let style = context.options.style;
    let (page, letters) = (context.options.width.points(), style.letters());
    let size = letters - 1.0;
    let mut entries: Vec<Entry> = Vec::new();
    for (at, method) in context.report.methods.iter().enumerate() {
        let mut all = panels.iter().flat_map(|panel| &panel.curves);
        if all.any(|curve| curve.method == at) {
            entries.push(Entry {
                key: if at < 7 {
                    Key::Line
                } else {
                    Key::Mark(Mark::of(at))
                },
                colour: style.series(at),
                text: method.label.clone(),
            });
        }
    }
    let several = panels.iter().any(|p| p.curves.iter().any(|c| c.seeds > 1));
    let note = match several {
        true => "mean over seeds; thin: lowest and highest seed",
        false => "",
    };
    let title = format!("Training loss on {}", context.title());
    let heading = Heading::new(title, note, entries, page, style);
    let columns = ((page - MARGIN) / (NARROWEST * letters)).floor().max(1.0) as usize;
    let columns = columns.min(panels.len());
    let rows = panels.len().div_ceil(columns);
    let (wide, tall) = ((page - MARGIN) / columns as f64, (PLOT + 5.0) * letters);
    let height = heading.height() + tall * rows as f64 + MARGIN;
    Canvas::page((page, height), style, |canvas| {
        heading.draw(canvas)?;
        for (at, panel) in panels.iter().enumerate() {
            let left = MARGIN + wide * (at % columns) as f64;
            let top = heading.height() + tall * (at / columns) as f64;
            draw_panel(canvas, panel, (left, top), wide, size)?;
        }
        Ok(())
    })
}

fn draw_panel(
    canvas: &Canvas<'_>,
    panel: &Panel<'_>,
    (left, top): (f64, f64),
    wide: f64,
    size: f64,
) -> Result<(), FigureError> {
    let style = canvas.style;
    let letters = style.letters();
    let values = || {
        panel
            .curves
            .iter()
            .flat_map(|c| c.points.iter().flatten().copied())
    };
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    let scale = match low > 0.0 && high / low > WIDE {
        true => Scale::Logarithmic,
        false => Scale::Linear,
    };
    let range = Axis::room(values(), scale);
    let plot = PLOT * letters;
    let start = left + Axis::margin(range, scale, plot, letters);
    let end = left + wide - 8.0;
    let above = top + 1.5 * letters;
    let below = above + plot;
    let x = Axis::new(Direction::Right, Scale::Linear, (0.0, 100.0), (start, end));
    let y = Axis::new(Direction::Up, scale, range, (below, above));
    let name = cut_to(panel.dataset, end - start, size);
    let place = ((start + end) / 2.0, top + 0.6 * letters);
    canvas.text(&name, place, size, style.ink(), Anchor::Middle)?;
    x.draw(canvas, (above, below), "share of the training, %")?;
    y.draw(canvas, (start, end), "loss")?;
    for curve in &panel.curves {
        let colour = style.series(curve.method);
        let line = |which: usize| -> Vec<(f64, f64)> {
            let points = curve.points.iter().enumerate();
            points
                .map(|(at, point)| {
                    let across = 100.0 * share(at, curve.points.len());
                    (x.at(across), y.at(point[which]))
                })
                .collect()
        };
        if curve.seeds > 1 {
            canvas.line(&line(1), colour, 0.3)?;
            canvas.line(&line(2), colour, 0.3)?;
        }
        let middle = line(0);
        canvas.line(&middle, colour, 1.1)?;
        if curve.method >= 7
            && let Some(end) = middle.last()
        {
            Mark::of(curve.method).draw(canvas, *end, 0.3 * letters, colour)?;
        }
    }
    Ok(())
}
