//! The part of the page that compares the report with an older one.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use crate::export::NAME;
use crate::export::comparison::{Compared, change, numbers};
use crate::export::html::shade;
use crate::export::html::templates::Templates;
use crate::text::one_line;
use harness_report::gate::Comparison;

#[derive(Serialize)]
struct Table {
    heading: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    label: String,
    cells: Vec<ComparedCell>,
}

#[derive(Default, Serialize)]
struct ComparedCell {
    class: &'static str,
    text: String,
    small: String,
}

/// # Errors
/// When the template does not render.
pub(super) fn comparison(templates: &Templates, compared: &Compared<'_>) -> Result<String, Error> {
    let tables = compared.tables();
    let tables = tables.iter().map(|table| Table {
        heading: table.heading.clone(),
        columns: table
            .columns
            .iter()
            .map(|name| one_line(name, NAME))
            .collect(),
        rows: table
            .rows
            .iter()
            .map(|(method, entries)| Row {
                label: one_line(method, NAME),
                cells: entries
                    .iter()
                    .map(|entry| entry.map_or_else(ComparedCell::default, shown))
                    .collect(),
            })
            .collect(),
    });
    templates.render(
        "comparison.html",
        context! {
            name => &compared.name,
            sentence => compared.sentence(),
            warnings => Serde(compared.warnings()),
            tables => Serde(tables.collect::<Vec<_>>()),
        },
    )
}

/// A difference is coloured where its direction is shown.
fn shown(one: &Comparison<'_>) -> ComparedCell {
    let difference = one.difference.as_ref().filter(|_| one.direction() != 0);
    ComparedCell {
        class: difference.map_or("", |difference| shade::of_difference(difference.value)),
        text: numbers(one),
        small: change(one),
    }
}
