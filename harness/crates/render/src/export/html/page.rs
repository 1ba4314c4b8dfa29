//! The page as a whole.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use crate::export::comparison::Compared;
use crate::export::html::chain;
use crate::export::html::comparison::comparison;
use crate::export::html::data::data;
use crate::export::html::provenance::provenance;
use crate::export::html::section::{Section, section};
use crate::export::html::templates::Templates;
use crate::export::{MESSAGE, NAME};
use crate::tables::recommendations::answer;
use crate::text::one_line;
use harness_report::Report;
use harness_report::aggregate::blocks;
use harness_report::analysis::analyse;
use harness_store::sha256_hex;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = concat!(
    include_str!("script/entry.js"),
    include_str!("script/matrix.js"),
    include_str!("script/save.js")
);

#[derive(Serialize)]
struct Part {
    id: String,
    heading: String,
    /// What became of its modules, in one sentence.
    answer: Option<String>,
    section: String,
}

/// The report as a page, compared with an older one if there is one.
///
/// # Errors
/// When a template does not render.
pub(crate) fn html(report: &Report, old: Option<&Report>) -> Result<String, Error> {
    let templates = Templates::new()?;
    let analysis = analyse(report);
    let blocks = blocks(report);
    let mut parts = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let Section { id, heading, html } = section(&templates, index, block, &analysis)?;
        parts.push(Part {
            id,
            heading,
            answer: answer(block, &analysis),
            section: html,
        });
    }
    let mut chains = Vec::new();
    for (index, of) in analysis.chains.iter().enumerate() {
        let Section { id, heading, html } = chain::section(&templates, index, of)?;
        chains.push(Part {
            id,
            heading,
            answer: None,
            section: html,
        });
    }
    let compared = old.map(|old| Compared::of(report, old));
    let comparison_section = match &compared {
        Some(compared) => comparison(&templates, compared)?,
        None => String::new(),
    };
    let data = data(report, &blocks, &analysis);
    let values = context! {
        title => one_line(&report.suite.name, NAME),
        lead => lead(report),
        comparison => compared.map(|compared| compared.name),
        comparison_section,
        input_notes => report.input_notes.iter().map(|note| one_line(note, MESSAGE)).collect::<Vec<_>>(),
        blocks => Serde(parts),
        chains => Serde(chains),
        provenance_section => provenance(&templates, report)?,
        style => STYLE,
        script => SCRIPT,
        nonce => nonce(&data),
        data,
    };
    templates.render("page.html", values)
}

/// What lets the page's own style and script run and nothing else. It is a hash over all
/// that the report brought, so that nothing in the report can contain it.
fn nonce(data: &str) -> String {
    sha256_hex(data.as_bytes())[..32].to_owned()
}

fn lead(report: &Report) -> String {
    let of = &report.provenance;
    let measured = report.cells.iter();
    let measured = measured.filter(|cell| cell.status == harness_report::Status::Ok);
    format!(
        "Do fine-tuned modules survive the upgrade? {} of {} cells measured, started {}, harness {}",
        measured.count(),
        report.cells.len(),
        one_line(&of.started, NAME),
        one_line(&of.harness, NAME)
    )
}
