//! What it takes to make the report again.

use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use crate::export::html::templates::Templates;
use crate::export::{MESSAGE, NAME};
use crate::text::{carried, command, one_line, summary_line};
use harness_report::Report;
use harness_report::shell::join;

#[derive(Serialize)]
struct Facts {
    caption: &'static str,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The last part of the page.
///
/// # Errors
/// When the template does not render.
pub(super) fn provenance(templates: &Templates, report: &Report) -> Result<String, Error> {
    templates.render(
        "provenance.html",
        context! {
            summary => summary_line(report),
            carried => carried(report),
            command => command(&join(&report.provenance.rerun)),
            tables => Serde([
                run(report),
                backbones(report),
                datasets(report),
                methods(report),
                plugins(report),
                tasks(report),
            ]),
        },
    )
}

/// Where each part was computed, where the run was cut into tasks.
fn tasks(report: &Report) -> Facts {
    let tasks = report.provenance.tasks.iter();
    Facts {
        caption: "Tasks",
        heads: match report.provenance.tasks.is_empty() {
            true => vec![],
            false => vec!["task", "job", "restarts", "node", "device", "cells"],
        },
        rows: tasks
            .map(|task| {
                vec![
                    name(&format!("{} {}", task.stage, task.shard)),
                    name(task.place.job.as_deref().unwrap_or("by hand")),
                    task.place.restarts.to_string(),
                    name(&task.place.node),
                    name(&format!("{}, {}", task.place.device, task.place.cpu)),
                    task.cells.len().to_string(),
                ]
            })
            .collect(),
    }
}

fn name(text: &str) -> String {
    one_line(text, NAME)
}

fn run(report: &Report) -> Facts {
    let of = &report.provenance;
    let git = of.git.as_ref().map_or("none".to_owned(), |git| {
        let state = if git.dirty { ", modified" } else { "" };
        format!("{}{state}", name(&git.revision))
    });
    let row = |key: &str, value: String| vec![key.to_owned(), value];
    Facts {
        caption: "Run",
        heads: vec![],
        rows: vec![
            row("suite", name(&report.suite.path)),
            row("suite sha256", name(&report.suite.sha256)),
            row(
                "harness",
                format!("{}, ABI {}", name(&of.harness), name(&of.abi)),
            ),
            row("compiler", name(&of.rustc)),
            row("git revision", git),
            row(
                "machine",
                format!(
                    "{}, {}, {} cores, {}",
                    name(&of.os),
                    name(&of.arch),
                    of.cpu.cores,
                    name(&of.cpu.model)
                ),
            ),
            row(
                "jobs",
                format!("{} with {} threads each", of.jobs, of.threads_per_worker),
            ),
            row("started", name(&of.started)),
            row("wall-clock seconds", format!("{:.1}", of.wall_seconds)),
        ],
    }
}

fn backbones(report: &Report) -> Facts {
    let rows = report.backbones.iter();
    Facts {
        caption: "Backbones",
        heads: vec!["name", "layout", "sha256"],
        rows: rows
            .map(|one| vec![name(&one.name), name(&one.layout), name(&one.sha256)])
            .collect(),
    }
}

fn datasets(report: &Report) -> Facts {
    let rows = report.datasets.iter();
    Facts {
        caption: "Data sets",
        heads: vec![
            "name",
            "title",
            "classes",
            "test images",
            "modules trained on",
            "manifest sha256",
        ],
        rows: rows
            .map(|one| {
                vec![
                    name(&one.name),
                    name(&one.title),
                    one.classes.to_string(),
                    one.test.to_string(),
                    name(one.shift_of.as_deref().unwrap_or("this data set")),
                    name(&one.manifest_sha256),
                ]
            })
            .collect(),
    }
}

fn methods(report: &Report) -> Facts {
    let rows = report.methods.iter();
    Facts {
        caption: "Methods",
        heads: vec![
            "label",
            "method",
            "family",
            "depth",
            "parameters",
            "configuration",
        ],
        rows: rows
            .map(|one| {
                let parameters = one.parameters.map(|number| number.to_string());
                let configuration = one_line(&one.config.to_string(), MESSAGE);
                vec![
                    name(&one.label),
                    name(&one.id),
                    name(&one.family),
                    name(&one.depth),
                    parameters.unwrap_or_else(|| "depends on the data set".to_owned()),
                    match &one.module_sha256 {
                        Some(sha256) => format!("{configuration}, module file {}", name(sha256)),
                        None => configuration,
                    },
                ]
            })
            .collect(),
    }
}

fn plugins(report: &Report) -> Facts {
    let rows = report.plugins.iter();
    Facts {
        caption: "Plugins",
        heads: vec!["file", "version", "SDK", "compiler", "licence", "sha256"],
        rows: rows
            .map(|one| {
                let texts = [
                    &one.file,
                    &one.version,
                    &one.sdk,
                    &one.rustc,
                    &one.licence,
                    &one.sha256,
                ];
                texts.map(|text| name(text)).into()
            })
            .collect(),
    }
}
