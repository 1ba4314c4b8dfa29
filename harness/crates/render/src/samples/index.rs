//! The index of the pages.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use super::page::NAME;
use super::templates::Templates;
use crate::text::one_line;
use harness_report::samples::{CellPredictions, Kind};
use harness_report::{Report, Upgrade};

#[derive(Serialize)]
struct Block {
    heading: String,
    datasets: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    method: String,
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    file: String,
    lost: usize,
    fixed: usize,
    images: usize,
}

/// A page that was written.
pub(super) struct Written<'w> {
    pub(super) cell: &'w CellPredictions<'w>,
    pub(super) file: String,
}

/// The index of `pages`, a matrix for each upgrade and number of shots.
///
/// # Errors
/// When a template does not render.
pub(super) fn index(
    templates: &Templates,
    report: &Report,
    pages: &[Written<'_>],
) -> Result<String, Error> {
    let mut blocks: Vec<(&Upgrade, u32)> = Vec::new();
    for page in pages {
        let key = (&page.cell.upgrade, page.cell.shots);
        if !blocks.contains(&key) {
            blocks.push(key);
        }
    }
    let blocks: Vec<Block> = blocks
        .iter()
        .map(|key| {
            let pages = pages.iter();
            block(
                *key,
                pages
                    .filter(|page| (&page.cell.upgrade, page.cell.shots) == *key)
                    .collect(),
            )
        })
        .collect();
    let title = one_line(&report.suite.name, NAME);
    let values = context! {
        title => &title,
        lead => "Each entry leads to a page with the images, what every condition said of them, and \
                 the classes that are taken for others. Of several seeds the lowest is shown.",
        blocks => Serde(blocks),
    };
    templates.render("index.html", &title, values)
}

fn block(key: (&Upgrade, u32), pages: Vec<&Written<'_>>) -> Block {
    let (mut methods, mut datasets) = (Vec::new(), Vec::new());
    for page in &pages {
        if !methods.contains(&page.cell.method) {
            methods.push(page.cell.method);
        }
        if !datasets.contains(&page.cell.dataset) {
            datasets.push(page.cell.dataset);
        }
    }
    let rows = methods.iter().map(|method| {
        let cells = datasets.iter().map(|dataset| {
            let page = pages
                .iter()
                .find(|page| (page.cell.method, page.cell.dataset) == (*method, *dataset))?;
            let count = |wanted: &dyn Fn(Kind) -> bool| {
                let images = 0..page.cell.labels.len();
                let kinds = images.filter_map(|image| page.cell.kind(image));
                kinds.filter(|kind| wanted(*kind)).count()
            };
            Some(Cell {
                file: page.file.clone(),
                lost: count(&|kind| kind.is_negative_flip()),
                fixed: count(&|kind| kind == Kind::Fixed),
                images: page.cell.labels.len(),
            })
        });
        Row {
            method: one_line(method, NAME),
            cells: cells.collect(),
        }
    });
    let (upgrade, shots) = key;
    Block {
        heading: format!(
            "{} → {}, {shots} {}",
            one_line(&upgrade.source, NAME),
            one_line(&upgrade.target, NAME),
            if shots == 1 { "shot" } else { "shots" },
        ),
        rows: rows.collect(),
        datasets: datasets.iter().map(|name| one_line(name, NAME)).collect(),
    }
}
