//! The card of a module, as hubs of models show it: YAML for machines, then text for people.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::error::TrackerError;
use crate::files::write;
use crate::run::{TrackedRun, runs};
use harness_render::export::markdown_text;
use harness_report::analysis::{Assessment, analyse};
use harness_report::{Cell, Report};

const TASK: &str = "zero-shot-image-classification";

#[derive(Serialize)]
struct FrontMatter {
    library_name: &'static str,
    pipeline_tag: &'static str,
    tags: Vec<String>,
    #[serde(rename = "model-index")]
    model_index: Vec<Model>,
}

#[derive(Serialize)]
struct Model {
    name: String,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    task: Task,
    dataset: Dataset,
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
struct Task {
    r#type: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Dataset {
    r#type: String,
    name: String,
    split: &'static str,
}

#[derive(Serialize)]
struct Metric {
    r#type: &'static str,
    value: f64,
    name: String,
}

/// Writes the card of the one module that the report is of to `path`.
///
/// # Errors
/// When the report is of no module or of several, or the file cannot be written.
pub fn model_card(report: &Report, path: &Path) -> Result<(), TrackerError> {
    let mut runs = runs(report)?;
    let (Some(run), true) = (runs.pop(), runs.is_empty()) else {
        let first = &runs[0];
        return Err(TrackerError::ManyModules {
            count: runs.len() + 1,
            example: format!(
                "method={},dataset={},source={},shots={},seed={}",
                first.method, first.dataset, first.source, first.shots, first.seed
            ),
        });
    };
    write(path, card(report, &run).as_bytes())
}

fn card(report: &Report, run: &TrackedRun) -> String {
    let dataset = report.datasets.iter().find(|one| one.name == run.dataset);
    let title = dataset.map_or(run.dataset.as_str(), |one| one.title.as_str());
    let method = report.methods.iter().find(|one| one.label == run.method);
    let mut tags = vec!["harness".to_owned()];
    tags.extend(method.map(|method| method.family.clone()));
    let front = FrontMatter {
        library_name: "harness",
        pipeline_tag: TASK,
        tags,
        model_index: vec![Model {
            name: run.name(),
            results: vec![Outcome {
                task: Task {
                    r#type: TASK,
                    name: "Zero-shot image classification",
                },
                dataset: Dataset {
                    r#type: run.dataset.clone(),
                    name: title.to_owned(),
                    split: "test",
                },
                metrics: metrics(run),
            }],
        }],
    };
    // Only text and numbers: nothing that YAML refuses.
    let front = serde_yaml::to_string(&front).unwrap_or_default();
    let mut text = format!("---\n{front}---\n\n# {}\n\n", markdown_text(&run.name()));
    let _ = body(&mut text, report, run, title);
    text
}

fn metrics(run: &TrackedRun) -> Vec<Metric> {
    let accuracies = run.metrics.iter().filter_map(|(name, value)| {
        let (target, kind) = name.rsplit_once('/').unwrap_or(("", name));
        let name = match kind {
            "base" => format!("Base (source), {}", run.source),
            "zero_shot_source" => format!("zero-shot, {}", run.source),
            "new" => format!("New (target), {target}"),
            "zero_shot_target" => format!("zero-shot, {target}"),
            "retrained" => format!("retrained, {target}"),
            _ => return None,
        };
        Some(Metric {
            r#type: "accuracy",
            value: *value,
            name,
        })
    });
    accuracies.collect()
}

/// The text below the YAML.
fn body(text: &mut String, report: &Report, run: &TrackedRun, title: &str) -> std::fmt::Result {
    let plain = markdown_text;
    writeln!(
        text,
        "A {} module for {}, trained on {} with {} images per class, seed {}, and moved unchanged to other \
         backbones by harness {}.\n",
        plain(&run.method),
        plain(title),
        plain(&run.source),
        run.shots,
        plain(&run.seed),
        plain(&report.provenance.harness)
    )?;
    let percent = |name: &str| {
        let value = run.metrics.get(name);
        value.map_or_else(|| "n/a".to_owned(), |value| format!("{:.2}", 100.0 * value))
    };
    writeln!(
        text,
        "## Accuracy\n\nIn percent, on the same test images. On {}, where it was trained: {} (Base), without it {} \
         (zero-shot).\n",
        plain(&run.source),
        percent("base"),
        percent("zero_shot_source")
    )?;
    writeln!(
        text,
        "| backbone | zero-shot | New | retrained | verdict | recommendation |\n|---|---:|---:|---:|---|---|"
    )?;
    let analysis = analyse(report);
    let cells = || report.cells.iter().filter(|cell| cell.training.is_some());
    for cell in cells() {
        let target = &cell.upgrade.target;
        let found = analysis.find(&cell.upgrade, cell.shots, &cell.method, &cell.dataset);
        let verdict = found.and_then(|one: &Assessment<'_>| one.verdict);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            plain(target),
            percent(&format!("{target}/zero_shot_target")),
            percent(&format!("{target}/new")),
            percent(&format!("{target}/retrained")),
            verdict.map_or_else(
                || cell.status.word().to_owned(),
                |verdict| verdict.word().to_owned()
            ),
            found.map_or("n/a", |one| one.recommendation.word())
        )?;
    }
    for cell in cells() {
        if let Some(one) = analysis.find(&cell.upgrade, cell.shots, &cell.method, &cell.dataset) {
            writeln!(
                text,
                "\n{}: {}; {}.",
                plain(&cell.upgrade.target),
                plain(&one.reason),
                plain(&one.advice)
            )?;
        }
    }
    writeln!(text, "\n## Training\n")?;
    for (name, value) in &run.settings {
        writeln!(text, "- {}: {}", plain(name), plain(value))?;
    }
    let first: Option<&Cell> = cells().next();
    if let Some(cell) = first {
        writeln!(
            text,
            "\nTo train and measure it again: <code>{}</code>",
            plain(&cell.rerun)
        )?;
    }
    Ok(())
}
