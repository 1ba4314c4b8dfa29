//! The part of the page for one upgrade and number of shots.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use crate::export::html::entry::{Field, field, mean_field, zero_field};
use crate::export::html::flow::flow;
use crate::export::html::scatter::{Point, Size, Value, scatter};
use crate::export::html::shade::VIEWS;
use crate::export::html::templates::Templates;
use crate::export::{MESSAGE, NAME};
use crate::tables::averages::{self, Average};
use crate::tables::facts::{Facts, row};
use crate::tables::flips::FlipRates;
use crate::tables::matrix::matrix;
use crate::tables::recommendations::{self, recommendations};
use crate::tables::{Cell, Number};
use crate::text::{NOT_AVAILABLE, command, heading, one_line, reason, verdicts, word};
use harness_report::Status;
use harness_report::aggregate::{Block, ZeroShot};
use harness_report::analysis::{Analysis, Assessment};

/// A part of the page.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) heading: String,
    pub(super) html: String,
}

#[derive(Serialize)]
struct Line {
    is_zero_shot: bool,
    /// The method's number in the charts.
    number: Option<usize>,
    label: String,
    cells: Vec<Field>,
}

#[derive(Serialize)]
struct Note {
    text: String,
    command: Option<String>,
}

#[derive(Serialize)]
struct AverageLine {
    number: Option<usize>,
    label: String,
    texts: Vec<String>,
}

#[derive(Serialize)]
struct Chart {
    name: String,
    number: usize,
    svg: String,
}

/// Everything about the block that is the `index`th of the page.
///
/// # Errors
/// When a template does not render.
pub(super) fn section<'a>(
    templates: &Templates,
    index: usize,
    block: &Block<'a>,
    analysis: &Analysis<'a>,
) -> Result<Section, Error> {
    let heading = one_line(&heading(block), MESSAGE);
    let entries: Vec<Vec<Option<&Assessment<'_>>>> = block
        .methods
        .iter()
        .map(|method| row(analysis, block, method))
        .collect();
    let (mean_scatter, scatters) = scatters(templates, block, &entries)?;
    let flows = flows(templates, block, &entries)?;
    let mut all = entries.iter().flatten().flatten();
    let unattributed = all.any(|one| one.flips.is_some_and(|flips| flips.unattributed > 0));
    let id = format!("upgrade-{}", index + 1);
    let answer = recommendations::answer(block, analysis).unwrap_or_default();
    let outlook = recommendations::outlook(block, analysis);
    let verdicts = outlook.into_iter().chain(verdicts(block, analysis));
    let columns = block.datasets.iter().map(|name| one_line(name, NAME));
    let html = templates.render(
        "block.html",
        context! {
            id => &id,
            index,
            heading => &heading,
            answer => one_line(&answer, MESSAGE),
            verdicts => Serde(verdicts.map(|text| one_line(&text, MESSAGE)).collect::<Vec<_>>()),
            views => Serde(VIEWS),
            columns => Serde(columns.collect::<Vec<_>>()),
            rows => Serde(lines(block, analysis, &entries)),
            notes => Serde(notes(block, &entries)),
            averages => Serde(averages(block, analysis)),
            scatter => mean_scatter,
            scatters => Serde(scatters),
            flows => Serde(flows),
            unattributed,
        },
    )?;
    Ok(Section { id, heading, html })
}

fn lines<'a>(
    block: &Block<'a>,
    analysis: &Analysis<'a>,
    entries: &[Vec<Option<&Assessment<'_>>>],
) -> Vec<Line> {
    let (matrix, recommendations) = (matrix(block), recommendations(block, analysis));
    let matrix = matrix.rows.iter().filter(|row| row.method.is_some());
    let tables = matrix.zip(&recommendations.rows);
    let zero = &block.zero_shot;
    let mean = zero
        .summary
        .map_or_else(ZeroShot::default, |summary| ZeroShot {
            source: Some(summary.source),
            target: Some(summary.target),
        });
    let fields = zero.entries.iter().map(|one| zero_field(*one, false));
    let first = Line {
        is_zero_shot: true,
        number: None,
        label: "zero-shot".to_owned(),
        cells: fields.chain([zero_field(mean, true)]).collect(),
    };
    let methods = block.methods.iter().zip(entries).zip(tables).enumerate();
    let methods = methods.map(|(at, ((method, entries), (new, recommended)))| {
        let fields = entries.iter().zip(&new.cells).zip(&recommended.cells);
        let fields = fields.enumerate();
        let fields = fields.map(|(column, ((entry, new), recommended))| {
            field(*entry, new, recommended, (at, column))
        });
        let averages = analysis.averages(block.upgrade, block.shots, method.label);
        let recovery = averages.and_then(|of| Some(of.recovery?.ratio.value));
        let mean = new.cells.last().unwrap_or(&Cell::Missing(None));
        Line {
            is_zero_shot: false,
            number: Some(at + 1),
            label: one_line(method.label, NAME),
            cells: fields
                .chain([mean_field(method, mean, entries, recovery)])
                .collect(),
        }
    });
    std::iter::once(first).chain(methods).collect()
}

/// Why entries lack a number, and how to get it.
fn notes(block: &Block<'_>, entries: &[Vec<Option<&Assessment<'_>>>]) -> Vec<Note> {
    let mut notes = Vec::new();
    for (method, entries) in block.methods.iter().zip(entries) {
        for assessment in entries.iter().flatten() {
            let Some(first) = assessment.missing.first() else {
                continue;
            };
            let seeds: Vec<String> = assessment
                .missing
                .iter()
                .map(|missing| missing.seed.to_string())
                .collect();
            let why = one_line(&reason(first.status), MESSAGE);
            let colon = if why.is_empty() { "" } else { ": " };
            let is_final = matches!(first.status, Status::NotInjectable { .. });
            notes.push(Note {
                text: format!(
                    "{} on {}, seed {}: {}{colon}{why}",
                    one_line(method.label, NAME),
                    one_line(assessment.dataset, NAME),
                    seeds.join(", "),
                    word(first.status)
                ),
                command: (!is_final).then(|| command(first.rerun)),
            });
        }
    }
    notes
}

#[derive(Serialize)]
struct Averages {
    caption: String,
    heads: Vec<String>,
    rows: Vec<AverageLine>,
}

fn averages(block: &Block<'_>, analysis: &Analysis<'_>) -> Averages {
    let mut columns = Vec::from(Average::ACCURACIES);
    columns.extend([Average::NegativeFlips, Average::PositiveFlips]);
    let table = averages::averages(block, analysis, &columns);
    let rows = table.rows.iter().map(|row| AverageLine {
        number: row.method.map(|at| at + 1),
        label: one_line(row.label, NAME),
        texts: row.cells.iter().map(average).collect(),
    });
    let notes = averages::notes(block, analysis).into_iter();
    let notes: String = notes.map(|note| format!("; {note}")).collect();
    let mut methods = block.methods.iter();
    let partial = match methods.any(|method| method.averaged.len() < block.datasets.len()) {
        false => "",
        true => "; a method that lacks a cell is averaged over its whole data sets",
    };
    Averages {
        caption: format!("{}{notes}{partial}", averages::title(block)),
        rows: rows.collect(),
        heads: table.heads,
    }
}

fn average(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Number(number) => Number::text(number),
        Cell::Text(text) => one_line(text, NAME),
        Cell::Blank => "–".to_owned(),
        _ => NOT_AVAILABLE.to_owned(),
    }
}

/// The chart of the means, and one a data set.
fn scatters(
    templates: &Templates,
    block: &Block<'_>,
    entries: &[Vec<Option<&Assessment<'_>>>],
) -> Result<(String, Vec<Chart>), Error> {
    let point = |at: usize, base: Value, new: Value| Point {
        number: at + 1,
        name: one_line(block.methods[at].label, NAME),
        base,
        new,
    };
    let means: Vec<Point> = block
        .methods
        .iter()
        .enumerate()
        .filter_map(|(at, method)| {
            let of = method.summary.as_ref()?;
            Some(point(at, (&of.base).into(), (&of.new).into()))
        })
        .collect();
    let zero = block
        .zero_shot
        .summary
        .map_or_else(ZeroShot::default, |of| ZeroShot {
            source: Some(of.source),
            target: Some(of.target),
        });
    let of_means = scatter(templates, "Mean over data sets", &means, zero, Size::Large)?;
    let mut charts = Vec::new();
    for (column, name) in block.datasets.iter().enumerate() {
        let points: Vec<Point> = entries
            .iter()
            .enumerate()
            .filter_map(|(at, entries)| {
                let facts = Facts::of(entries.get(column).copied().flatten()?)?;
                Some(point(at, (&facts.base).into(), (&facts.new).into()))
            })
            .collect();
        let zero = block
            .zero_shot
            .entries
            .get(column)
            .copied()
            .unwrap_or_default();
        let name = one_line(name, NAME);
        charts.push(Chart {
            svg: scatter(templates, &name, &points, zero, Size::Small)?,
            number: column + 1,
            name,
        });
    }
    Ok((of_means, charts))
}

fn flows(
    templates: &Templates,
    block: &Block<'_>,
    entries: &[Vec<Option<&Assessment<'_>>>],
) -> Result<Vec<Chart>, Error> {
    let mut charts = Vec::new();
    for (at, (method, entries)) in block.methods.iter().zip(entries).enumerate() {
        let Some(rates) = FlipRates::mean(entries.iter().copied().flatten()) else {
            continue;
        };
        let name = one_line(method.label, NAME);
        charts.push(Chart {
            svg: flow(templates, &name, &rates)?,
            number: at + 1,
            name,
        });
    }
    Ok(charts)
}
