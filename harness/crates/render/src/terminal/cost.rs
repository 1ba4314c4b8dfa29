//! What training took: a row a method, over all trainings on sources.

use std::collections::BTreeMap;

use crate::terminal::footnotes::NAME;
use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::numbers::NOT_AVAILABLE;
use crate::terminal::sanitise::one_line;
use harness_report::Training;
use harness_report::{Method, Report};

/// What the table is of.
pub(crate) const TITLE: &str =
    "Training on the source, per module: mean seconds, and least to most of the rest";

/// The table; nothing where nothing was trained, or by a version that did not say how.
pub(crate) fn cost(report: &Report) -> Option<Grid> {
    let rows: Vec<Row> = report.methods.iter().map(|m| row(report, m)).collect();
    let heads = ["recipe", "seconds", "steps", "parameters", "module bytes"];
    let is_trained = report.cells.iter().any(|cell| cell.training.is_some());
    let is_named = report.methods.iter().any(|m| m.recipe.is_some());
    (is_trained && is_named).then(|| Grid {
        heads: heads.map(String::from).into(),
        rows,
    })
}

fn row(report: &Report, method: &Method) -> Row {
    let cells = report.cells.iter().filter(|c| c.method == method.label);
    // A module that is moved to several targets was trained once.
    let trained: BTreeMap<&str, &Training> = cells
        .filter_map(|cell| cell.training.as_ref())
        .map(|training| (training.module_sha256.as_str(), training))
        .collect();
    let range = |value: fn(&Training) -> u64| {
        let values = || trained.values().map(|training| value(training));
        match (values().min(), values().max()) {
            (Some(least), Some(most)) if least == most => least.to_string(),
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ => NOT_AVAILABLE.to_owned(),
        }
    };
    let seconds = match trained.len() {
        0 => NOT_AVAILABLE.to_owned(),
        n => format!(
            "{:.2}",
            trained.values().map(|t| t.seconds).sum::<f64>() / n as f64
        ),
    };
    let slots = [
        recipe(method),
        seconds,
        range(|t| t.steps),
        range(|t| t.parameters),
        range(|t| t.module_bytes),
    ];
    Row {
        label: one_line(&method.label, NAME),
        markers: String::new(),
        slots: slots.map(Slot::plain).into(),
    }
}

/// `own`, `common`, `own, changed`; `elsewhere` of a module that came as a file.
fn recipe(method: &Method) -> String {
    match &method.recipe {
        None if method.module_sha256.is_some() => "elsewhere".to_owned(),
        None => NOT_AVAILABLE.to_owned(),
        Some(recipe) => {
            let is_changed = recipe.changes.as_object().is_some_and(|c| !c.is_empty());
            let changed = if is_changed { ", changed" } else { "" };
            one_line(&format!("{}{changed}", recipe.base), NAME)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cost;
    use crate::fixture;
    use crate::terminal::Style;
    use harness_report::MethodRecipe;

    #[test]
    fn a_row_names_the_recipe_of_each_method() {
        let measured = |_, _, _| Ok(([400, 500, 450, 480], None));
        let mut report = fixture::report(&["a", "b"], &["d"], &[1], measured);
        assert!(cost(&report).is_none());
        report.methods[1].recipe = Some(MethodRecipe {
            base: "common".into(),
            changes: json!({"epochs": 20}),
        });
        let style = Style {
            colour: false,
            width: None,
        };
        let table = cost(&report).unwrap().draw(style);
        for text in ["seconds", "module bytes", "common, changed", "n/a"] {
            assert!(table.contains(text), "{text}: {table}");
        }
    }
}
