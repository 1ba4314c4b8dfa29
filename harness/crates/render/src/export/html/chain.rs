//! The part of the page for a chain of upgrades.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use crate::export::html::section::Section;
use crate::export::html::templates::Templates;
use crate::export::{MESSAGE, NAME};
use crate::tables::chain::{self, TITLE};
use crate::tables::{Cell, Row};
use crate::text::{NOT_AVAILABLE, one_line};
use harness_report::analysis::ChainAnalysis;

#[derive(Serialize)]
struct Line {
    label: String,
    cells: Vec<Entry>,
}

#[derive(Default, Serialize)]
struct Entry {
    text: String,
    small: String,
}

/// # Errors
/// When the template does not render.
pub(super) fn section(
    templates: &Templates,
    index: usize,
    of: &ChainAnalysis<'_>,
) -> Result<Section, Error> {
    let table = chain::chain(of);
    let heading = one_line(&chain::heading(of), MESSAGE);
    let id = format!("chain-{}", index + 1);
    let heads = table.heads.iter().map(|head| one_line(head, NAME));
    let sentences = chain::sentences(of).into_iter();
    let html = templates.render(
        "chain.html",
        context! {
            id => &id,
            heading => &heading,
            title => TITLE,
            heads => Serde(heads.collect::<Vec<_>>()),
            rows => Serde(table.rows.iter().map(line).collect::<Vec<_>>()),
            sentences => Serde(sentences.map(|text| one_line(&text, MESSAGE)).collect::<Vec<_>>()),
        },
    )?;
    Ok(Section { id, heading, html })
}

fn line(row: &Row<'_>) -> Line {
    Line {
        label: one_line(row.label, NAME),
        cells: row.cells.iter().map(entry).collect(),
    }
}

fn entry(cell: &Cell<'_>) -> Entry {
    match cell {
        Cell::Stop { gain, change } => Entry {
            text: gain.main(),
            small: change.clone().unwrap_or_default(),
        },
        Cell::Text(text) => Entry {
            text: one_line(text, NAME),
            ..Entry::default()
        },
        Cell::Blank => Entry::default(),
        _ => Entry {
            text: NOT_AVAILABLE.to_owned(),
            ..Entry::default()
        },
    }
}
